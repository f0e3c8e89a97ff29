/** The bench as everybody sees it: a snapshot, and what each event makes of it. */

import type { BenchSnapshot, BenchState, FromGateway, Lease, Participant, Args } from "../wire/messages";
import type { Action, BenchDescription, DeviceDescription, DeviceReport, Interlock, Property } from "../wire/model";

export interface Stopped {
  /** Who stopped it, when that is known: a snapshot only says that it is stopped. */
  readonly by: string | null;
  readonly verified: boolean | null;
  readonly text: string;
}

export interface Bench {
  readonly name: string;
  readonly state: BenchState;
  readonly text: string;
  readonly description: BenchDescription | null;
  readonly devices: Readonly<Record<string, DeviceReport>>;
  readonly stopped: Stopped | null;
  readonly blocking: readonly string[];
  readonly lease: Lease | null;
  /** Why the lease last changed; empty before the first change. */
  readonly leaseReason: string;
  readonly participants: readonly Participant[];
  /** The last arguments of each set-point action, by target. */
  readonly setPoints: Readonly<Record<string, Args>>;
  readonly may: readonly string[];
  readonly untilMs: number;
}

/** The name of an action of a device, or of a property of one. */
export function target(device: string, name: string): string {
  return `${device}.${name}`;
}

export function benchOf(snapshot: BenchSnapshot): Bench {
  return {
    name: snapshot.bench,
    state: snapshot.state,
    text: snapshot.text,
    description: snapshot.description,
    devices: Object.fromEntries(snapshot.devices.map((report) => [report.device, report])),
    stopped: snapshot.stopped ? { by: null, verified: null, text: "" } : null,
    blocking: snapshot.blocking,
    lease: snapshot.lease,
    leaseReason: "",
    participants: snapshot.participants,
    setPoints: Object.fromEntries(snapshot.set_points.map((point) => [target(point.device, point.action), point.args])),
    may: snapshot.may,
    untilMs: snapshot.until_ms,
  };
}

/** What an event makes of the bench. Messages that do not concern it leave it as it is. */
export function reduceBench(bench: Bench, message: FromGateway): Bench {
  switch (message.type) {
    case "BenchSnapshot":
      return benchOf(message);
    case "BenchChanged":
      return madeSafe({ ...bench, state: message.state, text: message.text }, message.state === "draining");
    case "DeviceChanged":
      return { ...bench, devices: { ...bench.devices, [message.report.device]: message.report } };
    case "InventoryChanged":
      return { ...bench, description: message.description };
    case "InterlockChanged":
      return madeSafe(
        { ...bench, blocking: withMember(bench.blocking, message.interlock, message.blocking) },
        message.blocking && interlockOf(bench, message.interlock)?.makes_safe === true,
      );
    case "LeaseChanged":
      return { ...bench, lease: message.lease, leaseReason: message.reason };
    case "PresenceChanged":
      return { ...bench, participants: message.participants };
    case "StopFinished":
      return madeSafe(
        { ...bench, stopped: { by: message.participant, verified: message.verified, text: message.text } },
        true,
      );
    case "StopCleared":
      return { ...bench, stopped: null };
    case "CommandLogged":
      return message.status === "done" ? withSetPoint(bench, message.device, message.action, message.args) : bench;
    default:
      return bench;
  }
}

/** Once the bench is brought to its safe state no knob stands where it stood: they show what is read. */
function madeSafe(bench: Bench, safe: boolean): Bench {
  return safe ? { ...bench, setPoints: {} } : bench;
}

export function interlockOf(bench: Bench, name: string): Interlock | undefined {
  return bench.description?.interlocks.find((interlock) => interlock.name === name);
}

/** A set-point of this or another participant was carried out: that is where the knob stands now. */
export function withSetPoint(bench: Bench, device: string, action: string, args: Args): Bench {
  if (actionOf(bench, device, action)?.kind !== "set_point") return bench;
  return { ...bench, setPoints: { ...bench.setPoints, [target(device, action)]: args } };
}

export function deviceOf(bench: Bench, name: string): DeviceDescription | undefined {
  return bench.description?.devices.find((device) => device.name === name);
}

export function actionOf(bench: Bench, device: string, action: string): Action | undefined {
  return deviceOf(bench, device)?.actions.find(({ name }) => name === action);
}

/** Polled this seldom, a reading that a control keeps is a setting: it changes only when somebody sets it. */
export const SETTING_POLL_MS = 1_000;

/** Whether a property only says where a control stands. Its control shows it, and it is not worth a plot. */
export function isSetting(device: DeviceDescription, property: Property): boolean {
  if (property.poll_ms !== null && property.poll_ms < SETTING_POLL_MS) return false;
  return device.actions.some((action) => action.reads === property.name && action.kind !== "query");
}

/** The interlocks that block an action at present. */
export function blockersOf(bench: Bench, device: string, action: string): readonly Interlock[] {
  const names = [target(device, action), target(device, "*")];
  return (bench.description?.interlocks ?? []).filter(
    (interlock) => bench.blocking.includes(interlock.name) && interlock.blocks.some((name) => names.includes(name)),
  );
}

/** How a participant is called; the bare id when he has left. */
export function nameOf(bench: Bench, participant: string): string {
  if (bench.lease?.participant === participant) return bench.lease.name;
  return bench.participants.find(({ id }) => id === participant)?.name ?? participant;
}

function withMember(members: readonly string[], name: string, isMember: boolean): readonly string[] {
  const others = members.filter((member) => member !== name);
  return isMember ? [...others, name] : others;
}
