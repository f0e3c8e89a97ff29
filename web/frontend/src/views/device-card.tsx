/** One instrument: how it stands, what it reads, what can be set and done. Drawn from its description alone. */

import { useId, useState } from "preact/hooks";
import { actionReason, benchReason, deviceReason, type Reason } from "../state/access";
import { isSetting, type Bench } from "../state/bench";
import type { Action, DeviceDescription, Property } from "../wire/model";
import { useLanguage, useViewer } from "./context";
import { controlKind, ControlFor } from "./controls/control-for";
import { Icon } from "./icons";
import { Fact, Reading } from "./reading";
import { reasonText } from "./words";

interface Props {
  bench: Bench;
  device: DeviceDescription;
}

export function DeviceCard({ bench, device }: Props) {
  const { t, text } = useLanguage();
  const id = useId();
  const [folded, setFolded] = useState(false);
  const report = bench.devices[device.name];
  const state = report?.state ?? "offline";
  const identity = report?.identity ?? "";
  return (
    <article class="card device" aria-labelledby={`${id}-title`} data-state={state} data-folded={folded}>
      <header class="card-head">
        <div>
          <h2 id={`${id}-title`}>{text(device.title)}</h2>
          <p class="identity" title={identity}>
            {identity === "" ? device.driver : identity}
          </p>
        </div>
        <span class="device-state" data-state={state}>
          <span class="dot" aria-hidden="true" />
          {t(`device.${state}`)}
        </span>
        <button
          type="button"
          class="fold"
          aria-expanded={!folded}
          aria-controls={`${id}-body`}
          aria-label={text(device.title)}
          onClick={() => setFolded(!folded)}
        >
          <Icon name="chevron" />
        </button>
      </header>
      <div class="card-body" id={`${id}-body`}>
        {report !== undefined && state !== "online" && report.text !== "" && <p class="device-text">{report.text}</p>}
        <Readings bench={bench} device={device} />
        <Controls bench={bench} device={device} />
      </div>
    </article>
  );
}

/** Numbers are shown large; what is only on, off or a word, as a line of facts below them. */
function Readings({ bench, device }: Props) {
  const shown = device.properties.filter((property) => isShown(property, device));
  const numbers = shown.filter(({ type }) => type === "float" || type === "int");
  const facts = shown.filter((property) => !numbers.includes(property));
  return (
    <>
      {numbers.length > 0 && (
        <dl class="readings">
          {numbers.map((property) => (
            <Reading key={property.name} bench={bench} device={device.name} property={property} />
          ))}
        </dl>
      )}
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map((property) => (
            <Fact key={property.name} bench={bench} device={device.name} property={property} />
          ))}
        </dl>
      )}
    </>
  );
}

function Controls({ bench, device }: Props) {
  const language = useLanguage();
  const reason = useSharedReason(bench, device);
  if (device.actions.length === 0) return <p class="quiet">{language.t("device.no_actions")}</p>;
  return (
    <>
      {reason !== null && (
        <p class="why why-shared">
          <Icon name="lock" />
          {reasonText(reason, language)}
        </p>
      )}
      <div class="tiles">
        {inOrder(device.actions).map((action) => (
          <ControlFor key={action.name} bench={bench} device={device.name} action={action} />
        ))}
      </div>
    </>
  );
}

/** Why none of the device's controls can be used, said once for all of them. */
function useSharedReason(bench: Bench, device: DeviceDescription): Reason | null {
  const viewer = useViewer();
  const general = benchReason(bench, viewer);
  const usable = device.actions.some((action) => actionReason(bench, viewer, device.name, action) === null);
  if (general !== null) return usable ? null : general;
  return bench.stopped === null ? deviceReason(bench, device.name) : { kind: "stopped" };
}

/** Switches and choices first, then knobs, then forms; otherwise as the driver lists them. */
function inOrder(actions: readonly Action[]): readonly Action[] {
  const rank = { switch: 0, choices: 1, set_point: 2, form: 3 };
  return [...actions].sort((a, b) => rank[controlKind(a)] - rank[controlKind(b)]);
}

/** What only shows where a control stands is shown by that control; a switch says its state itself. */
function isShown(property: Property, device: DeviceDescription): boolean {
  if (property.type === "trace" || isSetting(device, property)) return false;
  return !device.actions.some((action) => action.reads === property.name && controlKind(action) === "switch");
}
