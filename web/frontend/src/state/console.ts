/** The whole state of the console, and what a message from the gateway makes of it. */

import type { FromGateway } from "../wire/messages";
import type { Value } from "../wire/read";
import { actionOf, benchOf, interlockOf, reduceBench, target, withSetPoint, type Bench } from "./bench";
import { isFailure, logSent, reduceLog, type Log, type LogEntry, type SentCommand } from "./log";
import { UNMEASURED, type RoundTrip } from "./round-trip";
import { traceOf, withTrace, type Traces } from "./traces";

export interface Reading {
  readonly value: Value;
  readonly timeMs: number;
}

/** Something that went wrong and that its cause should be told of: a failed command or a refused request. */
export interface Notice {
  readonly key: string;
  readonly code: string;
  readonly text: string;
  /** The command that failed; absent for requests. */
  readonly entry: LogEntry | null;
}

export interface ConsoleState {
  readonly me: string;
  readonly bench: Bench | null;
  readonly log: Log;
  /** The newest reading of each property, by target. */
  readonly readings: Readonly<Record<string, Reading>>;
  readonly traces: Traces;
  readonly roundTrip: RoundTrip;
  readonly notices: readonly Notice[];
}

export const EMPTY: ConsoleState = {
  me: "",
  bench: null,
  log: [],
  readings: {},
  traces: [],
  roundTrip: UNMEASURED,
  notices: [],
};

const MOST_NOTICES = 4;

export function commandSent(state: ConsoleState, sent: SentCommand): ConsoleState {
  return { ...state, log: logSent(state.log, sent) };
}

export function noticed(state: ConsoleState, notice: Notice): ConsoleState {
  const others = state.notices.filter(({ key }) => key !== notice.key);
  return { ...state, notices: [...others, notice].slice(-MOST_NOTICES) };
}

export function noticeDismissed(state: ConsoleState, key: string): ConsoleState {
  return { ...state, notices: state.notices.filter((notice) => notice.key !== key) };
}

/** What a message makes of the state. `nowMs` is the server clock at its arrival. */
export function reduceConsole(state: ConsoleState, message: FromGateway, nowMs: number): ConsoleState {
  switch (message.type) {
    case "Welcome":
      return { ...state, me: message.participant };
    case "BenchSnapshot":
      return withOutcomes({ ...state, bench: benchOf(message) }, message.outcomes, nowMs);
    case "TelemetrySampled":
      return sampled(state, message.device, message.time_ms, message.values);
    case "TelemetryHistory":
      return withHistory(state, message);
    case "CommandRefused":
    case "CommandFinished":
      return concluded(logged(state, message, nowMs), message.id, nowMs);
    case "InterlockChanged":
      return interlockChanged(state, message, nowMs);
    default:
      return logged({ ...state, bench: state.bench && reduceBench(state.bench, message) }, message, nowMs);
  }
}

function logged(state: ConsoleState, message: FromGateway, nowMs: number): ConsoleState {
  const log = reduceLog(state.log, message, nowMs);
  return log === state.log ? state : { ...state, log };
}

/** An interlock that takes everything back is announced: otherwise the instruments would seem to act by themselves. */
function interlockChanged(
  state: ConsoleState,
  message: FromGateway & { type: "InterlockChanged" },
  nowMs: number,
): ConsoleState {
  const { bench } = state;
  if (bench === null || bench.blocking.includes(message.interlock) === message.blocking) return state;
  const next = logged({ ...state, bench: reduceBench(bench, message) }, message, nowMs);
  const entry = next.log.at(-1);
  const announced = message.blocking && interlockOf(bench, message.interlock)?.makes_safe === true;
  return announced && entry !== undefined
    ? noticed(next, { key: entry.key, code: "interlocked", text: "", entry })
    : next;
}

function withOutcomes(state: ConsoleState, outcomes: readonly object[], nowMs: number): ConsoleState {
  return (outcomes as readonly Omit<FromGateway & { type: "CommandFinished" }, "type">[]).reduce(
    (next, outcome) => logged(next, { type: "CommandFinished", ...outcome }, nowMs),
    state,
  );
}

/** A command of ours has ended: knobs move, traces are kept, failures are announced. */
function concluded(state: ConsoleState, id: string, nowMs: number): ConsoleState {
  const entry = state.log.findLast(({ key }) => key === id);
  if (entry === undefined) return state;
  if (isFailure(entry)) return noticed(state, { key: id, code: entry.code ?? entry.phase, text: entry.text, entry });
  if (entry.phase !== "done") return state;
  const bench = state.bench && withSetPoint(state.bench, entry.device, entry.action, entry.args);
  return valueArrived({ ...state, bench }, entry, nowMs);
}

/** The value of a command of ours: a trace to draw, or a reading of the property that the action reads. */
function valueArrived(state: ConsoleState, entry: LogEntry, nowMs: number): ConsoleState {
  if (entry.value === null) return state;
  const trace = traceOf(entry.value);
  if (trace !== null) {
    const held = { ...trace, key: entry.key, device: entry.device, source: entry.action, timeMs: nowMs };
    return { ...state, traces: withTrace(state.traces, held) };
  }
  const action = state.bench && actionOf(state.bench, entry.device, entry.action);
  if (action?.kind !== "query" || action.reads === null) return state;
  return sampled(state, entry.device, nowMs, { [action.reads]: entry.value });
}

/** A value that came in pieces after its CommandFinished has been put together. */
export function valueCompleted(state: ConsoleState, id: string, value: Value, nowMs: number): ConsoleState {
  const index = state.log.findLastIndex(({ key }) => key === id);
  const entry = state.log[index];
  if (entry === undefined) return state;
  const completed = { ...entry, value };
  return valueArrived({ ...state, log: state.log.with(index, completed) }, completed, nowMs);
}

function sampled(
  state: ConsoleState,
  device: string,
  timeMs: number,
  values: Readonly<Record<string, Value>>,
): ConsoleState {
  const readings = { ...state.readings };
  let { traces } = state;
  for (const [name, value] of Object.entries(values)) {
    const trace = traceOf(value);
    if (trace !== null) {
      traces = withTrace(traces, { ...trace, key: `${device}.${name}@${timeMs}`, device, source: name, timeMs });
    } else {
      const before = readings[target(device, name)];
      if (before === undefined || before.timeMs <= timeMs) readings[target(device, name)] = { value, timeMs };
    }
  }
  return { ...state, readings, traces };
}

function withHistory(state: ConsoleState, history: FromGateway & { type: "TelemetryHistory" }): ConsoleState {
  const latest: Record<string, Reading> = {};
  for (const row of history.rows) {
    const timeMs = row[0];
    if (typeof timeMs !== "number") continue;
    history.columns.slice(1).forEach((name, index) => {
      const value = row[index + 1] ?? null;
      if (value !== null) latest[target(history.device, name)] = { value, timeMs };
    });
  }
  const newer = Object.entries(latest).filter(([name, { timeMs }]) => (state.readings[name]?.timeMs ?? -1) < timeMs);
  return { ...state, readings: { ...state.readings, ...Object.fromEntries(newer) } };
}
