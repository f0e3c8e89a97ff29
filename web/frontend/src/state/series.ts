/** Telemetry for plots: one growing table of typed arrays per device, oldest rows dropped when it is full. */

import type { Value } from "../wire/read";

export const MOST_ROWS = 36_000;
const FIRST_ROWS = 512;

/** The rows of one device: a time and one number per column. Booleans count as 0 and 1, anything else as a gap. */
export class Series {
  #times = new Float64Array(FIRST_ROWS);
  readonly #columns = new Map<string, Float64Array>();
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get columns(): readonly string[] {
    return [...this.#columns.keys()];
  }

  get lastMs(): number {
    return this.#length === 0 ? -Infinity : this.timeAt(this.#length - 1);
  }

  /** Add a row. One that is not newer than the last is dropped: history and live samples may overlap. */
  append(timeMs: number, values: Readonly<Record<string, Value>>): void {
    if (timeMs <= this.lastMs) return;
    if (this.#length === this.#times.length) this.#makeRoom();
    const at = (this.#start + this.#length) % this.#times.length;
    this.#times[at] = timeMs;
    for (const column of this.#columns.values()) column[at] = NaN;
    for (const [name, value] of Object.entries(values)) {
      const number = numberOf(value);
      if (number !== null) this.#column(name)[at] = number;
    }
    this.#length += 1;
  }

  /** The time of a row, counted from the oldest. */
  timeAt(row: number): number {
    return this.#times[(this.#start + row) % this.#times.length] ?? NaN;
  }

  valueAt(row: number, column: string): number {
    return this.#columns.get(column)?.[(this.#start + row) % this.#times.length] ?? NaN;
  }

  /** The first row at or after a time; `length` when there is none. */
  rowAt(timeMs: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeAt(middle) < timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #column(name: string): Float64Array {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = new Float64Array(this.#times.length).fill(NaN);
      this.#columns.set(name, column);
    }
    return column;
  }

  #makeRoom(): void {
    if (this.#times.length >= MOST_ROWS) {
      this.#start = (this.#start + 1) % this.#times.length;
      this.#length -= 1;
      return;
    }
    // Until it is full the ring has never turned, so a plain copy keeps the order.
    const size = Math.min(MOST_ROWS, this.#times.length * 2);
    this.#times = grown(this.#times, size);
    for (const [name, column] of this.#columns) this.#columns.set(name, grown(column, size));
  }
}

function grown(old: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(size).fill(NaN);
  larger.set(old);
  return larger;
}

function numberOf(value: Value): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" ? value : null;
}

/** Fill a series from a history: the first column is the time. Rows that are already there are skipped. */
export function appendHistory(series: Series, columns: readonly string[], rows: readonly (readonly Value[])[]): void {
  for (const row of rows) {
    const timeMs = row[0];
    if (typeof timeMs !== "number") continue;
    series.append(timeMs, Object.fromEntries(columns.slice(1).map((name, index) => [name, row[index + 1] ?? null])));
  }
}

export interface Curve {
  readonly series: Series;
  readonly column: string;
  /** A hole longer than this is drawn as a hole. */
  readonly gapMs: number;
}

/** What uPlot draws: seconds, then one list per curve. `null` breaks a line, `undefined` means no reading at that time. */
export type Aligned = [number[], ...(number | null | undefined)[][]];

/** The curves between two times on one common time axis. */
export function aligned(curves: readonly Curve[], fromMs: number, toMs: number): Aligned {
  const times = new Set<number>();
  const picked = curves.map((curve) => pick(curve, fromMs, toMs, times));
  const axis = [...times].sort((a, b) => a - b);
  return [
    axis.map((timeMs) => timeMs / 1000),
    ...picked.map((points) => axis.map((timeMs) => points.get(timeMs))),
  ] as unknown as Aligned;
}

function pick(curve: Curve, fromMs: number, toMs: number, times: Set<number>): Map<number, number | null> {
  const points = new Map<number, number | null>();
  const { series, column, gapMs } = curve;
  let beforeMs: number | null = null;
  // One row more on the left, so that the line enters from the edge.
  for (let row = Math.max(0, series.rowAt(fromMs) - 1); row < series.length; row += 1) {
    const timeMs = series.timeAt(row);
    if (timeMs > toMs) break;
    const value = series.valueAt(row, column);
    if (Number.isNaN(value)) continue;
    if (beforeMs !== null && timeMs - beforeMs > gapMs) {
      const holeMs = (beforeMs + timeMs) / 2;
      points.set(holeMs, null);
      times.add(holeMs);
    }
    points.set(timeMs, value);
    times.add(timeMs);
    beforeMs = timeMs;
  }
  return points;
}
