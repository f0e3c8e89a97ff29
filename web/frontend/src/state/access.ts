/** What this participant may do now, and if not, why not: the panel shows the first reason that applies. */

import type { BenchState } from "../wire/messages";
import type { Action, DeviceState, Text } from "../wire/model";
import { blockersOf, type Bench } from "./bench";

/** Why a control is disabled. */
export type Reason =
  | { readonly kind: "not_connected" }
  | { readonly kind: "bench"; readonly state: BenchState; readonly text: string }
  | { readonly kind: "stopped" }
  | { readonly kind: "observer" }
  | { readonly kind: "held"; readonly name: string }
  | { readonly kind: "free" }
  | { readonly kind: "device"; readonly state: DeviceState; readonly text: string }
  | { readonly kind: "interlock"; readonly text: Text };

export interface Viewer {
  readonly me: string;
  /** Connected, and the server's clock is known. */
  readonly ready: boolean;
}

export function holdsControl(bench: Bench, me: string): boolean {
  return bench.lease?.participant === me;
}

export function maySupervise(bench: Bench): boolean {
  return bench.may.includes("supervise");
}

export function mayControl(bench: Bench): boolean {
  return bench.may.includes("control");
}

export function mayStop(bench: Bench): boolean {
  return bench.may.includes("stop") || bench.may.includes("control") || maySupervise(bench);
}

/** Whether this participant may lift a stop: the controller or a supervisor. */
export function mayClearStop(bench: Bench, me: string): boolean {
  return holdsControl(bench, me) || maySupervise(bench);
}

/** Why nothing on the bench can be commanded, or null. */
export function benchReason(bench: Bench, viewer: Viewer): Reason | null {
  if (!viewer.ready) return { kind: "not_connected" };
  if (bench.state === "offline" || bench.state === "draining" || bench.state === "quarantined") {
    return { kind: "bench", state: bench.state, text: bench.text };
  }
  if (holdsControl(bench, viewer.me)) return null;
  if (!mayControl(bench)) return { kind: "observer" };
  return bench.lease === null ? { kind: "free" } : { kind: "held", name: bench.lease.name };
}

/** Why nothing on a device can be commanded although the bench could be, or null. */
export function deviceReason(bench: Bench, device: string): Reason | null {
  const report = bench.devices[device];
  if (report?.state === "online") return null;
  return { kind: "device", state: report?.state ?? "offline", text: report?.text ?? "" };
}

/** Why an action cannot be sent, or null when it can. */
export function actionReason(bench: Bench, viewer: Viewer, device: string, action: Action): Reason | null {
  const query = action.kind === "query";
  const general = benchReason(bench, viewer);
  if (general !== null && !(query && maySupervise(bench) && isAboutControl(general))) return general;
  if (bench.stopped !== null && !query) return { kind: "stopped" };
  const offline = deviceReason(bench, device);
  if (offline !== null) return offline;
  const [blocker] = blockersOf(bench, device, action.name);
  return blocker === undefined ? null : { kind: "interlock", text: blocker.text };
}

function isAboutControl(reason: Reason): boolean {
  return reason.kind === "held" || reason.kind === "free" || reason.kind === "observer";
}
