/** Data to take home: comma-separated values after RFC 4180, with numbers that every program reads. */

import type { Series } from "./series";
import type { HeldTrace } from "./traces";

export interface CsvColumn {
  readonly title: string;
  readonly series: Series;
  readonly column: string;
}

/** All rows of several series: UTC time, seconds since the first row, then the columns. A missing reading is empty. */
export function telemetryCsv(columns: readonly CsvColumn[]): string {
  const rows = new Map<number, string[]>();
  columns.forEach(({ series, column }, index) => {
    for (let row = 0; row < series.length; row += 1) {
      const value = series.valueAt(row, column);
      if (Number.isNaN(value)) continue;
      const timeMs = series.timeAt(row);
      let cells = rows.get(timeMs);
      if (cells === undefined) {
        cells = columns.map(() => "");
        rows.set(timeMs, cells);
      }
      cells[index] = String(value);
    }
  });
  const times = [...rows.keys()].sort((a, b) => a - b);
  const firstMs = times[0] ?? 0;
  return lines([
    ["time_utc", "seconds", ...columns.map(({ title }) => title)],
    ...times.map((timeMs) => [
      new Date(timeMs).toISOString(),
      ((timeMs - firstMs) / 1000).toFixed(3),
      ...(rows.get(timeMs) ?? []),
    ]),
  ]);
}

/** Held traces side by side: each has its own column of x and of y. */
export function tracesCsv(traces: readonly HeldTrace[]): string {
  const length = Math.max(0, ...traces.map(({ y }) => y.length));
  const header = traces.flatMap((trace, index) => [
    `x${index + 1} (${trace.xUnit})`,
    `y${index + 1} (${trace.yUnit}) ${new Date(trace.timeMs).toISOString()}`,
  ]);
  const rows = Array.from({ length }, (_, row) =>
    traces.flatMap((trace) => {
      const y = trace.y[row];
      return y === undefined ? ["", ""] : [String(trace.x0 + row * trace.dx), String(y)];
    }),
  );
  return lines([header, ...rows]);
}

function lines(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => cells.map(quoted).join(",") + "\r\n").join("");
}

function quoted(cell: string): string {
  // A leading sign or equals sign of a text would be taken for a formula by spreadsheets; numbers are left alone.
  const text = /^[=@+-]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
