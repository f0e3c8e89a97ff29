"""Instruments that speak plain lines of their own: ``T?`` and ``T 23.4``, ``P 40`` and ``OK``.

``read`` is the question, ``write`` the command with the arguments in braces. Three regular expressions say how the
instrument's answers look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from devices.codecs.line import LineCodec
from devices.declaration import DeclaredAction, DeclaredProperty
from devices.driver import DeviceSettings, Driver, bad_reply, parse_value, refused
from devices.drivers.scpi import example
from devices.model import ValueType
from devices.ports import Conversation
from signaling.wire import Value


class LineDriver(Driver):
    """The family of instruments with a simple line protocol."""

    request_end: ClassVar[bytes] = b"\r"
    reply_end: ClassVar[bytes] = b"\n"
    ask_who: ClassVar[str]
    """The question that the instrument answers with its identity."""
    value_in: ClassVar[str] = r"(\S+)\s*$"
    """Finds the value in the answer to a question, as its first group: the last word."""
    done: ClassVar[str | None] = r"^OK"
    """How a done command is confirmed; None when commands are not answered."""
    failed: ClassVar[str] = r"^(?:E|ERR|ERROR)\b\s*(.*)"
    """How the instrument says that it would not, its words as the first group."""

    def __init__(self, name: str, port: str, settings: DeviceSettings, baud: int | None = None) -> None:
        self.codec = LineCodec(self.request_end, self.reply_end)
        super().__init__(name, port, settings, baud)

    async def ask(self, io: Conversation, question: str) -> str:
        """The answer to a question. Raises :class:`DeviceError` ``device_refused`` when it is a refusal."""
        answer = (await io.ask(question.encode("ascii"))).decode("ascii").strip()
        failure = re.search(self.failed, answer)
        if failure is not None:
            raise refused(failure[1] or answer)
        return answer

    async def ask_value(self, io: Conversation, question: str, type: ValueType = ValueType.FLOAT) -> Value:
        """The value in the answer to a question."""
        answer = await self.ask(io, question)
        found = re.search(self.value_in, answer)
        if found is None:
            raise bad_reply(answer, "not an answer to the question")
        return parse_value(found[1], type)

    async def command(self, io: Conversation, command: str) -> None:
        """Do a command, and wait for its confirmation."""
        if self.done is None:
            await io.tell(command.encode("ascii"))
            return
        answer = await self.ask(io, command)
        if not re.search(self.done, answer):
            raise bad_reply(answer, "no confirmation")

    async def ask_identity(self, io: Conversation) -> str:
        """The answer to ``ask_who``."""
        return await self.ask(io, self.ask_who)

    async def perform_read(self, io: Conversation, declared: DeclaredProperty) -> Value:
        """Ask the declared question."""
        return await self.ask_value(io, str(declared.read), declared.type)

    async def perform_write(self, io: Conversation, declared: DeclaredAction, args: Mapping[str, Value]) -> Value:
        """Send the declared command with its arguments."""
        await self.command(io, str(declared.write).format(**args))
        return None

    def exchange_bytes(self, declared: DeclaredProperty | DeclaredAction) -> int:
        """Counted on the declared texts."""
        return len(str(declared.read) if isinstance(declared, DeclaredProperty) else example(declared)) + 12
