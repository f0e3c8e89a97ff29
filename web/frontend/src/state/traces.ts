/** Scope traces: what a device brought back as one picture. The last few of each kind are kept. */

import type { Value } from "../wire/read";

export interface Trace {
  readonly x0: number;
  readonly dx: number;
  readonly y: readonly number[];
  readonly xUnit: string;
  readonly yUnit: string;
}

export interface HeldTrace extends Trace {
  readonly key: string;
  readonly device: string;
  /** The action or property that brought it. */
  readonly source: string;
  readonly timeMs: number;
}

export type Traces = readonly HeldTrace[];

export const KEEP_PER_SOURCE = 5;

/** A trace out of an open value, or null when it is not one. */
export function traceOf(value: Value): Trace | null {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) return null;
  const { x0, dx, y } = value;
  if (typeof x0 !== "number" || typeof dx !== "number" || !Array.isArray(y)) return null;
  if (!y.every((item) => typeof item === "number")) return null;
  return { x0, dx, y, xUnit: textOf(value["x_unit"]), yUnit: textOf(value["y_unit"]) };
}

/** Keep a trace; the oldest of the same source goes when there are too many. */
export function withTrace(traces: Traces, trace: HeldTrace): Traces {
  const same = traces.filter((held) => isSameSource(held, trace));
  const tooMany = new Set(same.slice(0, Math.max(0, same.length + 1 - KEEP_PER_SOURCE)));
  return [...traces.filter((held) => !tooMany.has(held)), trace];
}

export function withoutTraces(traces: Traces, device: string): Traces {
  return traces.filter((held) => held.device !== device);
}

function isSameSource(a: HeldTrace, b: HeldTrace): boolean {
  return a.device === b.device && a.source === b.source;
}

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
