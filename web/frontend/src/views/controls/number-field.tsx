/** A number with its unit: typed and applied with Enter or the button beside it; Escape takes it back. */

import { useId, useState } from "preact/hooks";
import { decimalsOf, fixed, parseNumber, scaleOf, snapped } from "../../state/numbers";
import type { Limit } from "../../wire/model";
import { useLanguage } from "../context";
import { rangeText } from "../words";

interface Props {
  label: string;
  unit: string;
  limit: Limit;
  step: number;
  isInt: boolean;
  value: number | null;
  /** Set when a value was chosen but not yet sent (supervisory mode). */
  draft: boolean;
  disabled: boolean;
  describedBy?: string;
  onApply: (value: number) => void;
  onStep?: (steps: number) => void;
}

export function NumberField(props: Props) {
  const { label, unit, limit, step, value, disabled, onApply } = props;
  const language = useLanguage();
  const { t } = language;
  const [typed, setTyped] = useState<string | null>(null);
  const [error, setError] = useState("");
  const errorId = useId();
  // Over decades the number carries its own prefixed unit: 1.5 kHz rather than 1500 Hz.
  const decades = scaleOf(limit)?.log === true;
  const written = (number: number) =>
    decades ? language.exact(number, unit) : fixed(number, decimalsOf(step), language.locale);
  const shown = typed ?? (value === null ? "" : written(value));
  const range = rangeText(limit, unit, language);

  const forget = () => {
    setTyped(null);
    setError("");
  };
  const apply = () => {
    const number = typed === null ? value : parseNumber(typed, unit);
    if (number === null) {
      setError(t("set.not_a_number"));
      return;
    }
    if (outside(number, limit)) {
      setError(range);
      return;
    }
    forget();
    onApply(props.isInt ? Math.round(number) : typed === null ? snapped(number, limit, step) : number);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") apply();
    else if (event.key === "Escape" && typed !== null) forget();
    else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && typed === null && props.onStep) {
      event.preventDefault();
      props.onStep(event.key === "ArrowUp" ? 1 : -1);
    }
  };
  const waiting = typed !== null || props.draft;
  return (
    <div class="number-field" data-invalid={error !== ""}>
      <div class="number-row">
        {props.onStep && <StepButton steps={-1} label={label} disabled={disabled} onStep={props.onStep} />}
        <span class="number-box">
          <input
            type="text"
            inputMode="decimal"
            autoComplete="off"
            spellcheck={false}
            aria-label={unit === "" ? label : `${label} (${unit})`}
            aria-invalid={error !== ""}
            aria-describedby={error === "" ? props.describedBy : errorId}
            title={range}
            value={shown}
            disabled={disabled}
            onInput={(event) => setTyped(event.currentTarget.value)}
            onFocus={(event) => event.currentTarget.select()}
            onKeyDown={onKeyDown}
          />
          {unit !== "" && !decades && (
            <span class="unit" aria-hidden="true">
              {unit}
            </span>
          )}
        </span>
        {props.onStep && <StepButton steps={1} label={label} disabled={disabled} onStep={props.onStep} />}
      </div>
      {waiting && !disabled && (
        <button type="button" class="button button-primary apply" onClick={apply}>
          {t("set.apply")}
        </button>
      )}
      <p class="field-error" id={errorId} role="alert">
        {error}
      </p>
    </div>
  );
}

function outside(value: number, limit: Limit): boolean {
  return (limit.low !== null && value < limit.low) || (limit.high !== null && value > limit.high);
}

interface StepProps {
  steps: number;
  label: string;
  disabled: boolean;
  onStep: (steps: number) => void;
}

function StepButton({ steps, label, disabled, onStep }: StepProps) {
  const { t } = useLanguage();
  return (
    <button
      type="button"
      class="step"
      tabIndex={-1}
      disabled={disabled}
      aria-label={`${label}: ${t(steps > 0 ? "set.more" : "set.less")}`}
      onClick={() => onStep(steps)}
    >
      {steps > 0 ? "+" : "−"}
    </button>
  );
}
