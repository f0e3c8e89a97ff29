/** Everything else that a device can do: its parameters in a small form, a button, and what it brought back. */

import { useId, useState } from "preact/hooks";
import { decimalsOf, parseNumber } from "../../state/numbers";
import { traceOf } from "../../state/traces";
import type { Args } from "../../wire/messages";
import type { Parameter } from "../../wire/model";
import type { Value, ValueMap } from "../../wire/read";
import { useLab, useLanguage } from "../context";
import { Icon } from "../icons";
import { rangeText, valueText } from "../words";
import { Tile } from "./tile";
import { useTarget, type ControlProps, type TargetView } from "./use-target";

export function ActionForm(props: ControlProps) {
  const { device, action } = props;
  const { t, text } = useLanguage();
  const lab = useLab();
  const id = useId();
  const view = useTarget(props);
  const [typed, setTyped] = useState<ValueMap>({});
  const args = Object.fromEntries(
    action.parameters.map((parameter) => [parameter.name, argument(parameter, typed, view.standing)]),
  );
  const complete = Object.values(args).every((value) => value !== null);
  const disabled = view.reason !== null;
  const running = view.status.pending > 0;
  const run = (event: Event) => {
    event.preventDefault();
    lab.command(device, action.name, args);
  };
  const verb = action.kind === "query" ? "set.read" : action.kind === "set_point" ? "set.apply" : "set.run";
  return (
    <Tile id={id} title={text(action.title)} view={view} kind={action.parameters.length === 0 ? "act" : "form"}>
      <form class="action-form" onSubmit={run} aria-labelledby={`${id}-title`}>
        {action.parameters.map((parameter) => (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            value={typed[parameter.name] ?? args[parameter.name] ?? null}
            disabled={disabled}
            onChange={(value) => setTyped({ ...typed, [parameter.name]: value })}
          />
        ))}
        {action.parameters.length === 0 && <Result view={view} unit={action.unit} />}
        <button
          type="submit"
          class="button"
          disabled={disabled || running || !complete}
          aria-describedby={`${id}-note`}
          aria-label={`${text(action.title)}: ${t(verb)}`}
        >
          {t(running ? "set.running" : verb)}
        </button>
        {action.parameters.length > 0 && <Result view={view} unit={action.unit} />}
      </form>
    </Tile>
  );
}

function Result({ view, unit }: { view: TargetView; unit: string }) {
  const language = useLanguage();
  const { result, failure, pending } = view.status;
  if (result === null || failure !== null) return null;
  const { value } = result;
  const decimals = typeof value === "number" ? Math.min(6, decimalsOf(value)) : 0;
  return (
    <output class="result" data-pending={pending > 0}>
      {traceOf(value) === null ? (
        valueText(value, unit, decimals, language)
      ) : (
        <>
          <Icon name="check" />
          {language.t("set.done")}
        </>
      )}
    </output>
  );
}

interface FieldProps {
  parameter: Parameter;
  value: Value;
  disabled: boolean;
  onChange: (value: Value) => void;
}

function ParameterField({ parameter, value, disabled, onChange }: FieldProps) {
  const language = useLanguage();
  const { unit, limit, type } = parameter;
  const title = language.text(parameter.title);
  if (type === "bool") {
    return (
      <label class="field field-check">
        <input
          type="checkbox"
          checked={value === true}
          disabled={disabled}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        {title}
      </label>
    );
  }
  const hint = rangeText(limit, unit, language);
  return (
    <label class="field">
      <span>{title}</span>
      {parameter.choices.length > 0 ? (
        <select
          disabled={disabled}
          value={typeof value === "string" ? value : ""}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          {value === null && <option value="">{language.t("set.choose")}</option>}
          {parameter.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <span class="number-box">
          <input
            type="text"
            inputMode={type === "str" ? "text" : "decimal"}
            autoComplete="off"
            title={hint}
            disabled={disabled}
            value={typeof value === "number" ? String(value) : typeof value === "string" ? value : ""}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {unit !== "" && (
            <span class="unit" aria-hidden="true">
              {unit}
            </span>
          )}
        </span>
      )}
    </label>
  );
}

/** The argument that would be sent: typed, else as it stands, else the default; null when it is missing or no number. */
function argument(parameter: Parameter, typed: ValueMap, standing: Args | null): Value {
  const { name, type } = parameter;
  const value = typed[name] ?? standing?.[name] ?? parameter.default;
  if (type === "bool") return value === true;
  if (typeof value !== "string" || type === "str") return value === "" ? null : value;
  const number = parseNumber(value, parameter.unit);
  return number === null || type === "float" ? number : Math.round(number);
}
