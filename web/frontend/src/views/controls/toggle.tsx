/** Controls of few states: a switch for yes and no, a row or list of choices for names. */

import { useId } from "preact/hooks";
import { target } from "../../state/bench";
import type { Parameter } from "../../wire/model";
import type { Value } from "../../wire/read";
import { useConsole, useLab, useLanguage } from "../context";
import { Tile } from "./tile";
import { useTarget, type ControlProps, type TargetView } from "./use-target";

/** More choices than this become a list to open. */
const MOST_IN_A_ROW = 4;

type Props = ControlProps & { parameter: Parameter };

export function Switch(props: Props) {
  const { device, action, parameter } = props;
  const language = useLanguage();
  const lab = useLab();
  const id = useId();
  const view = useTarget(props);
  const current = useStanding(props, view);
  const on = current === true;
  return (
    <Tile id={id} title={language.text(action.title)} view={view} kind="switch">
      <button
        type="button"
        role="switch"
        class="switch"
        aria-checked={on}
        aria-labelledby={`${id}-title`}
        aria-describedby={`${id}-note`}
        disabled={view.reason !== null}
        onClick={() => lab.command(device, action.name, { [parameter.name]: !on })}
      >
        <span class="switch-track" aria-hidden="true">
          <span class="switch-thumb" />
        </span>
        <span class="switch-word">{language.t(on ? "set.on" : "set.off")}</span>
      </button>
    </Tile>
  );
}

export function Choices(props: Props) {
  const { device, action, parameter } = props;
  const language = useLanguage();
  const lab = useLab();
  const id = useId();
  const view = useTarget(props);
  const current = useStanding(props, view);
  const choose = (choice: string) => lab.command(device, action.name, { [parameter.name]: choice });
  const disabled = view.reason !== null;
  const few = parameter.choices.length <= MOST_IN_A_ROW;
  return (
    <Tile id={id} title={language.text(action.title)} view={view} kind="choices">
      {few ? (
        <div class="segmented" role="group" aria-labelledby={`${id}-title`} aria-describedby={`${id}-note`}>
          {parameter.choices.map((choice) => (
            <button
              key={choice}
              type="button"
              aria-pressed={current === choice}
              disabled={disabled}
              onClick={() => choose(choice)}
            >
              {choice}
            </button>
          ))}
        </div>
      ) : (
        <select
          aria-labelledby={`${id}-title`}
          aria-describedby={`${id}-note`}
          disabled={disabled}
          value={typeof current === "string" ? current : ""}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {typeof current !== "string" && <option value="">{language.t("set.choose")}</option>}
          {parameter.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      )}
    </Tile>
  );
}

/** What is on its way, else what the instrument reads, else what was last set. */
function useStanding({ device, action, parameter }: Props, view: TargetView): Value {
  const reading = useConsole((state) => state.readings[target(device, action.reads ?? "")]);
  return view.status.wanted?.[parameter.name] ?? reading?.value ?? view.standing?.[parameter.name] ?? null;
}
