/** What every control needs to know of its action: may it be used, what is on its way, what went wrong. */

import { actionReason, benchReason, deviceReason, type Reason } from "../../state/access";
import { target, type Bench } from "../../state/bench";
import { targetStatus, type TargetStatus } from "../../state/targets";
import type { Args } from "../../wire/messages";
import type { Action } from "../../wire/model";
import { useConsole, useViewer } from "../context";

export interface ControlProps {
  bench: Bench;
  device: string;
  action: Action;
}

export interface TargetView {
  readonly reason: Reason | null;
  /** The reason, when it concerns this control alone; what holds for the whole bench or device is said once, above. */
  readonly ownReason: Reason | null;
  readonly status: TargetStatus;
  /** The arguments last carried out. */
  readonly standing: Args | null;
}

export function useTarget({ bench, device, action }: ControlProps): TargetView {
  const viewer = useViewer();
  const log = useConsole((state) => state.log);
  const reason = actionReason(bench, viewer, device, action);
  const shared = benchReason(bench, viewer) ?? deviceReason(bench, device);
  return {
    reason,
    ownReason: shared === null && reason?.kind !== "stopped" ? reason : null,
    status: targetStatus(log, device, action.name),
    standing: bench.setPoints[target(device, action.name)] ?? null,
  };
}
