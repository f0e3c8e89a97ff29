/** A set-point of one number: knob, field and steps; what is wanted and what the instrument reads, side by side. */

import { useEffect, useId, useState } from "preact/hooks";
import { deviceOf, target } from "../../state/bench";
import { nudged, scaleOf, stepOf } from "../../state/numbers";
import type { Args } from "../../wire/messages";
import type { Parameter } from "../../wire/model";
import { useConsole, useLab, useLanguage, useSupervisory } from "../context";
import { readingText, settingText } from "../words";
import { Knob } from "./knob";
import { NumberField } from "./number-field";
import { Tile } from "./tile";
import { useTarget, type ControlProps } from "./use-target";

/** After the last movement the knob stays where the hand left it until the answer is in. */
const SETTLE_MS = 250;

export function SetPoint(props: ControlProps & { parameter: Parameter }) {
  const { device, action, parameter } = props;
  const language = useLanguage();
  const lab = useLab();
  const id = useId();
  const view = useTarget(props);
  const supervisory = useSupervisory();
  const reading = useReading(props);
  const { draft, setDraft, setHeld } = useDraft(view.status.pending, supervisory, view.reason !== null);
  const isInt = parameter.type === "int";
  const { limit, unit, name } = parameter;
  const step = stepOf(limit, isInt);
  const scale = scaleOf(limit);
  const standing = numberIn(view.status.wanted, name) ?? numberIn(view.standing, name) ?? reading.number;
  const shown = draft ?? standing;
  const value = shown ?? limit.low ?? 0;
  const disabled = view.reason !== null;

  const turn = (next: number) => {
    setDraft(next);
    if (!supervisory) lab.turn(device, action.name, { [name]: next });
  };
  const apply = (next: number) => {
    setDraft(supervisory ? null : next);
    lab.command(device, action.name, { [name]: next });
  };
  const title = language.text(action.title);
  const describedBy = `${id}-note ${id}-reading`;
  const spoken = settingText(value, limit, step, unit, language);
  return (
    <Tile id={id} title={title} view={view} kind={scale === null ? "number" : "knob"}>
      {scale !== null && (
        <Knob
          scale={scale}
          limit={limit}
          step={step}
          value={value}
          reading={reading.number}
          label={title}
          describedBy={describedBy}
          valueText={reading.text === "" ? spoken : `${spoken}, ${language.t("set.measured")} ${reading.text}`}
          disabled={disabled}
          onTurn={turn}
          onHold={setHeld}
        />
      )}
      <div class="set-point-side">
        <NumberField
          label={title}
          unit={unit}
          limit={limit}
          step={step}
          isInt={isInt}
          value={shown}
          draft={supervisory && draft !== null}
          disabled={disabled}
          describedBy={describedBy}
          onApply={apply}
          onStep={(steps) => turn(nudged(value, steps, limit, step))}
        />
        <p class="read-back" id={`${id}-reading`}>
          {reading.text !== "" && (
            <>
              <span class="read-back-label">{language.t("set.measured")}</span> <output>{reading.text}</output>
            </>
          )}
        </p>
      </div>
    </Tile>
  );
}

/** What the hand wants at this moment; null when the knob shows what stands. */
function useDraft(pending: number, supervisory: boolean, disabled: boolean) {
  const [draft, setDraft] = useState<number | null>(null);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (draft === null || held || supervisory || pending > 0) return;
    const handle = setTimeout(() => setDraft(null), SETTLE_MS);
    return () => clearTimeout(handle);
  }, [draft, held, supervisory, pending]);
  useEffect(() => {
    if (!disabled) return;
    setDraft(null);
    setHeld(false);
  }, [disabled]);
  return { draft, setDraft, setHeld };
}

function useReading({ bench, device, action }: ControlProps): { number: number | null; text: string } {
  const language = useLanguage();
  const property = deviceOf(bench, device)?.properties.find(({ name }) => name === action.reads);
  const reading = useConsole((state) => state.readings[target(device, action.reads ?? "")]);
  if (property === undefined || reading === undefined) return { number: null, text: "" };
  const number = typeof reading.value === "number" ? reading.value : null;
  return { number, text: readingText(property, reading.value, language) };
}

function numberIn(args: Args | null, name: string): number | null {
  const value = args?.[name];
  return typeof value === "number" ? value : null;
}
