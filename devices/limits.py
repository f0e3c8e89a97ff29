"""Limits: the bounds that a command's arguments must keep, and the lab's own, tighter ones. Pure.

The gateway checks for a clear answer; the agent checks again, and that is the check that counts.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping

from devices.model import Action, DeviceDescription, Limit, Parameter, ValueType
from signaling.errors import CallerError, Code
from signaling.wire import Value

MAX_TEXT_CHARS = 256
"""The longest argument of type ``str`` that has no list of choices."""


class ArgumentError(CallerError):
    """An argument cannot be accepted; ``parameter`` says which."""

    def __init__(self, code: Code, text: str, parameter: str) -> None:
        super().__init__(code, text)
        self.parameter = parameter


class LimitError(ValueError):
    """The lab's limits do not fit the device, in words for the technician."""


def checked_arguments(action: Action, args: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments as the driver wants them: every parameter present, integers widened where a float is meant.

    Raises :class:`ArgumentError` ``bad_argument`` (unknown or missing name, wrong type, not a number, infinite) or
    ``out_of_limits``.
    """
    known = {parameter.name for parameter in action.parameters}
    for name in args:
        if name not in known:
            raise ArgumentError(Code.BAD_ARGUMENT, f"{action.name} has no parameter {name[:40]!r}.", name[:40])
    checked: dict[str, Value] = {}
    for parameter in action.parameters:
        value = args.get(parameter.name, parameter.default)
        if value is None:
            raise _refusal(action, parameter, "is missing")
        checked[parameter.name] = _checked(action, parameter, value)
    return checked


def tightened(description: DeviceDescription, limits: Mapping[str, Limit]) -> DeviceDescription:
    """The description with the lab's limits, given by ``action.parameter``, put into its parameters.

    Raises :class:`LimitError` when a name is unknown, a bound is wider than the driver's, or nothing is left.
    """
    actions = {action.name: action for action in description.actions}
    for place, limit in limits.items():
        action_name, _, parameter_name = place.partition(".")
        action = actions.get(action_name)
        parameter = next((p for p in action.parameters if p.name == parameter_name), None) if action else None
        if action is None or parameter is None:
            raise LimitError(f"{place} is no parameter of an action of {description.driver}")
        narrowed = dataclasses.replace(parameter, limit=_narrowed(place, parameter, limit))
        parameters = tuple(narrowed if p is parameter else p for p in action.parameters)
        actions[action_name] = dataclasses.replace(action, parameters=parameters)
    return dataclasses.replace(description, actions=tuple(actions.values()))


def _narrowed(place: str, parameter: Parameter, limit: Limit) -> Limit:
    if parameter.type not in (ValueType.INT, ValueType.FLOAT):
        raise LimitError(f"{place} is not a number and has no limits")
    own = parameter.limit
    low = own.low if limit.low is None else limit.low
    high = own.high if limit.high is None else limit.high
    if own.low is not None and low is not None and low < own.low:
        raise LimitError(f"{place}: low {low:g} is below the driver's own {own.low:g}")
    if own.high is not None and high is not None and high > own.high:
        raise LimitError(f"{place}: high {high:g} is above the driver's own {own.high:g}")
    if low is not None and high is not None and low > high:
        raise LimitError(f"{place}: nothing lies between low {low:g} and high {high:g}")
    default = parameter.default
    if isinstance(default, int | float) and not _is_within(default, Limit(low, high)):
        raise LimitError(f"{place}: its default {default:g} would be outside")
    return Limit(low, high, own.step if limit.step is None else limit.step)


def _checked(action: Action, parameter: Parameter, value: Value) -> Value:
    match parameter.type:
        case ValueType.BOOL:
            if type(value) is bool:
                return value
            raise _refusal(action, parameter, "must be true or false")
        case ValueType.INT:
            if type(value) is int:
                return _within(action, parameter, value)
            raise _refusal(action, parameter, "must be a whole number")
        case ValueType.FLOAT:
            number = _finite(value)
            if number is None:
                raise _refusal(action, parameter, "must be a finite number")
            return _within(action, parameter, number)
        case ValueType.STR:
            return _text(action, parameter, value)
    raise _refusal(action, parameter, "cannot be given")


def _finite(value: Value) -> float | None:
    if type(value) is not float and type(value) is not int:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _text(action: Action, parameter: Parameter, value: Value) -> str:
    if type(value) is not str:
        raise _refusal(action, parameter, "must be a text")
    if parameter.choices and value not in parameter.choices:
        raise _refusal(action, parameter, f"must be one of {', '.join(parameter.choices)}")
    if len(value) > MAX_TEXT_CHARS or not value.isprintable():
        raise _refusal(action, parameter, f"must be at most {MAX_TEXT_CHARS} printable characters")
    return value


def _within(action: Action, parameter: Parameter, number: float) -> float:
    if _is_within(number, parameter.limit):
        return number
    limit, unit = parameter.limit, f" {parameter.unit}" if parameter.unit else ""
    low = "" if limit.low is None else f" from {limit.low:g}{unit}"
    high = "" if limit.high is None else f" up to {limit.high:g}{unit}"
    text = f"{action.name}: {parameter.name} = {_shown(number)}{unit} is out of limits; allowed{low}{high}."
    raise ArgumentError(Code.OUT_OF_LIMITS, text, parameter.name)


def _shown(number: float) -> str:
    return f"{number:g}" if abs(number) <= sys.float_info.max else "an enormous number"


def _is_within(number: float, limit: Limit) -> bool:
    return (limit.low is None or number >= limit.low) and (limit.high is None or number <= limit.high)


def _refusal(action: Action, parameter: Parameter, why: str) -> ArgumentError:
    return ArgumentError(Code.BAD_ARGUMENT, f"{action.name}: {parameter.name} {why}.", parameter.name)
