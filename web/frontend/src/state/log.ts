/** The log: commands of this and other participants, with the one outcome of each, and stops. Bounded, oldest first. */

import type { Args, CommandMode, CommandStatus, FromGateway, FromGatewayWords, Ledger } from "../wire/messages";
import type { Value } from "../wire/read";

/** `sent`: nobody has answered yet; `admitted`: it waits at the bench; `refused`: it will never run. */
export type Phase = "sent" | "admitted" | "refused" | CommandStatus;

export interface LogEntry {
  readonly key: string;
  readonly kind: "command" | "stop" | "stop_cleared" | "interlock";
  readonly own: boolean;
  readonly participant: string;
  readonly device: string;
  readonly action: string;
  readonly args: Args;
  readonly mode: CommandMode;
  readonly timeMs: number;
  readonly phase: Phase;
  readonly code: string | null;
  readonly text: string;
  readonly parameter: string | null;
  readonly ledger: Ledger | null;
  /** When the answer arrived here, on the server clock. */
  readonly receivedMs: number | null;
  readonly value: Value;
  /** How many earlier set-points of the same knob this line stands for. */
  readonly folded: number;
}

export type Log = readonly LogEntry[];

export const MAX_ENTRIES = 500;
/** Set-points of one knob that follow each other within this time share a line. */
export const FOLD_WITHIN_MS = 3_000;

export interface SentCommand {
  readonly id: string;
  readonly participant: string;
  readonly device: string;
  readonly action: string;
  readonly args: Args;
  readonly mode: CommandMode;
  readonly timeMs: number;
}

const BLANK = {
  kind: "command",
  args: {},
  mode: "ordered",
  code: null,
  text: "",
  parameter: null,
  ledger: null,
  receivedMs: null,
  value: null,
  folded: 0,
} as const;

/** A command of ours has gone out. */
export function logSent(log: Log, sent: SentCommand): Log {
  const { id, ...command } = sent;
  return appended(log, { ...BLANK, ...command, key: id, own: true, phase: "sent" });
}

/** What a message adds to the log. `nowMs` is the server clock at its arrival. */
export function reduceLog(log: Log, message: FromGateway, nowMs: number): Log {
  switch (message.type) {
    case "CommandAdmitted":
      return changed(log, message.id, (entry) => (entry.phase === "sent" ? { ...entry, phase: "admitted" } : entry));
    case "CommandRefused":
      return changed(log, message.id, (entry) => ({
        ...entry,
        phase: "refused",
        code: message.code,
        text: message.text,
        parameter: message.parameter,
        receivedMs: nowMs,
      }));
    case "CommandFinished":
      return finished(log, message, nowMs);
    case "CommandLogged":
      return othersCommand(log, message);
    case "StopFinished":
      return appended(log, stopEntry(message, nowMs));
    case "StopCleared":
      return appended(log, eventEntry("stop_cleared", message.participant, "", nowMs, log));
    case "InterlockChanged":
      return message.blocking ? appended(log, eventEntry("interlock", "", message.interlock, nowMs, log)) : log;
    default:
      return log;
  }
}

/** Whether an entry still waits for its outcome. */
export function isOpen(entry: LogEntry): boolean {
  return entry.phase === "sent" || entry.phase === "admitted";
}

/** Whether an entry ended in a way that its sender should be told of. */
export function isFailure(entry: LogEntry): boolean {
  if (isOpen(entry) || entry.phase === "done") return false;
  return entry.code !== "superseded" && entry.code !== "cancelled_by_caller";
}

/** The ids of our commands whose outcome is still missing. */
export function openIds(log: Log): readonly string[] {
  return log.filter((entry) => entry.own && isOpen(entry)).map(({ key }) => key);
}

function finished(log: Log, message: FromGatewayWords["CommandFinished"], nowMs: number): Log {
  const index = log.findLastIndex(({ key }) => key === message.id);
  const entry = log[index];
  if (entry === undefined || (!isOpen(entry) && entry.phase !== "unknown")) return log;
  if (entry.mode === "latest" && message.code === "superseded") {
    return foldedInto(without(log, index), entry);
  }
  const { status: phase, code, text, ledger, value } = message;
  const ended: LogEntry = { ...entry, phase, code, text, ledger, value, receivedMs: nowMs };
  const next = log.with(index, ended);
  return entry.mode === "latest" && phase === "done" ? withoutOlderDone(next, index, ended) : next;
}

/** A superseded set-point leaves no line of its own: the newer one counts it. */
function foldedInto(log: Log, gone: LogEntry): Log {
  const index = log.findIndex((entry) => sameKnob(entry, gone) && isOpen(entry));
  const heir = log[index];
  return heir === undefined ? log : log.with(index, { ...heir, folded: heir.folded + gone.folded + 1 });
}

/** While a knob is turned, only its latest carried-out set-point keeps a line. */
function withoutOlderDone(log: Log, index: number, ended: LogEntry): Log {
  const older = log.findLastIndex(
    (entry, at) =>
      at < index && sameKnob(entry, ended) && entry.phase === "done" && ended.timeMs - entry.timeMs < FOLD_WITHIN_MS,
  );
  const gone = log[older];
  if (gone === undefined) return log;
  return without(log.with(index, { ...ended, folded: ended.folded + gone.folded + 1 }), older);
}

function sameKnob(a: LogEntry, b: LogEntry): boolean {
  return a.own && b.own && a.mode === "latest" && a.device === b.device && a.action === b.action;
}

function othersCommand(log: Log, message: FromGatewayWords["CommandLogged"]): Log {
  const { participant, device, action, args, status, time_ms: timeMs, text } = message;
  const entry: LogEntry = {
    ...BLANK,
    key: `${participant}/${device}.${action}@${timeMs}`,
    own: false,
    participant,
    device,
    action,
    args,
    timeMs,
    phase: status,
    text,
  };
  const last = log.at(-1);
  const folds =
    last?.participant === participant &&
    last.device === device &&
    last.action === action &&
    last.phase === "done" &&
    status === "done" &&
    timeMs - last.timeMs < FOLD_WITHIN_MS;
  return folds ? log.with(-1, { ...entry, key: last.key, folded: last.folded + 1 }) : appended(log, entry);
}

function stopEntry(message: FromGatewayWords["StopFinished"], nowMs: number): LogEntry {
  const { id, participant, verified, ledger, text } = message;
  return {
    ...BLANK,
    key: `stop/${id}`,
    kind: "stop",
    own: false,
    participant,
    device: "",
    action: "",
    timeMs: ledger.sent_ms,
    phase: verified ? "done" : "failed",
    text,
    ledger,
    receivedMs: nowMs,
  };
}

/** Something that happened to the bench. An interlock's name stands in the action's place. */
function eventEntry(
  kind: "stop_cleared" | "interlock",
  participant: string,
  action: string,
  nowMs: number,
  log: Log,
): LogEntry {
  const last = log.at(-1)?.key ?? "";
  const phase = kind === "interlock" ? "failed" : "done";
  return {
    ...BLANK,
    key: `${kind} after ${last}`,
    kind,
    own: false,
    participant,
    device: "",
    action,
    timeMs: nowMs,
    phase,
  };
}

function changed(log: Log, key: string, change: (entry: LogEntry) => LogEntry): Log {
  const index = log.findLastIndex((entry) => entry.key === key);
  const entry = log[index];
  return entry === undefined ? log : log.with(index, change(entry));
}

function appended(log: Log, entry: LogEntry): Log {
  return [...log.slice(-(MAX_ENTRIES - 1)), entry];
}

function without(log: Log, index: number): Log {
  return log.toSpliced(index, 1);
}
