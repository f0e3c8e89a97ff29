/** What a curve comes to in numbers. */

import type { Series } from "./series";

export interface ColumnStats {
  readonly low: number;
  readonly high: number;
  readonly mean: number;
}

/** Lowest, highest and mean reading between two times; null when there was none. */
export function columnStats(series: Series, column: string, fromMs: number, toMs: number): ColumnStats | null {
  let [low, high, sum, count] = [Infinity, -Infinity, 0, 0];
  for (let row = series.rowAt(fromMs); row < series.length && series.timeAt(row) <= toMs; row += 1) {
    const value = series.valueAt(row, column);
    if (Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
    count += 1;
  }
  return count === 0 ? null : { low, high, mean: sum / count };
}

/** The reading that stood at a time: the newest that is not later. Null when none is as old as that. */
export function valueNear(series: Series, column: string, timeMs: number): number | null {
  for (let row = Math.min(series.rowAt(timeMs + 1e-6), series.length - 1); row >= 0; row -= 1) {
    if (series.timeAt(row) > timeMs) continue;
    const value = series.valueAt(row, column);
    if (!Number.isNaN(value)) return value;
  }
  return null;
}
