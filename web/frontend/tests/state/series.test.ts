import { describe, expect, test } from "vitest";
import { telemetryCsv, tracesCsv } from "../../src/state/csv";
import { aligned, appendHistory, MOST_ROWS, Series } from "../../src/state/series";
import { columnStats, valueNear } from "../../src/state/stats";
import { KEEP_PER_SOURCE, traceOf, withTrace, withoutTraces, type Traces } from "../../src/state/traces";

function filled(...rows: [number, Record<string, number | boolean | string | null>][]): Series {
  const series = new Series();
  rows.forEach(([timeMs, values]) => series.append(timeMs, values));
  return series;
}

describe("a series", () => {
  test("keeps rows in order and drops what is not newer: history and samples may overlap", () => {
    const series = new Series();
    appendHistory(
      series,
      ["time_ms", "v"],
      [
        [10, 1],
        ["x", 9],
        [20, null],
        [30, 3],
      ],
    );
    series.append(30, { v: 99 });
    series.append(40, { v: 4 });
    expect(series.length).toBe(4);
    expect([0, 1, 2, 3].map((row) => series.valueAt(row, "v"))).toEqual([1, NaN, 3, 4]);
    expect(series.lastMs).toBe(40);
    expect(series.rowAt(25)).toBe(2);
    expect(series.rowAt(41)).toBe(4);
  });

  test("counts booleans as 0 and 1, and texts not at all", () => {
    const series = filled([1, { on: true, mode: "CV" }], [2, { on: false }]);
    expect([series.valueAt(0, "on"), series.valueAt(1, "on")]).toEqual([1, 0]);
    expect(series.columns).toEqual(["on"]);
  });

  test("grows to its limit and then drops the oldest", () => {
    const series = new Series();
    for (let row = 0; row < MOST_ROWS + 10; row += 1) series.append(row + 1, { v: row });
    expect(series.length).toBe(MOST_ROWS);
    expect(series.timeAt(0)).toBe(11);
    expect(series.valueAt(MOST_ROWS - 1, "v")).toBe(MOST_ROWS + 9);
  });

  test("comes to numbers", () => {
    const series = filled([10, { v: 1 }], [20, { v: 5 }], [30, {}], [40, { v: 3 }]);
    expect(columnStats(series, "v", 0, 40)).toEqual({ low: 1, high: 5, mean: 3 });
    expect(columnStats(series, "v", 50, 60)).toBeNull();
    expect(valueNear(series, "v", 35)).toBe(5);
    expect(valueNear(series, "v", 40)).toBe(3);
    expect(valueNear(series, "v", 5)).toBeNull();
  });
});

describe("curves on one time axis", () => {
  test("readings at other times are no gaps, but silence is", () => {
    const a = filled([1_000, { v: 1 }], [2_000, { v: 2 }], [9_000, { v: 3 }]);
    const b = filled([1_500, { v: 7 }]);
    const curves = [
      { series: a, column: "v", gapMs: 3_000 },
      { series: b, column: "v", gapMs: 3_000 },
    ];
    expect(aligned(curves, 0, 10_000)).toEqual([
      [1, 1.5, 2, 5.5, 9],
      [1, undefined, 2, null, 3],
      [undefined, 7, undefined, undefined, undefined],
    ]);
  });

  test("one reading before the left edge lets the line enter", () => {
    const a = filled([1_000, { v: 1 }], [2_000, { v: 2 }], [3_000, { v: 3 }]);
    expect(aligned([{ series: a, column: "v", gapMs: 5_000 }], 1_500, 2_500)[0]).toEqual([1, 2]);
  });
});

describe("data to take home", () => {
  test("has UTC, seconds and one column per reading; what is missing stays empty", () => {
    const a = filled([1_000, { v: 1.5 }], [1_250, { v: -2 }]);
    const b = filled([1_250, { i: 0.1 }]);
    expect(
      telemetryCsv([
        { title: 'Supply "A", V', series: a, column: "v" },
        { title: "=cmd", series: b, column: "i" },
      ]),
    ).toBe(
      'time_utc,seconds,"Supply ""A"", V",\'=cmd\r\n' +
        "1970-01-01T00:00:01.000Z,0.000,1.5,\r\n" +
        "1970-01-01T00:00:01.250Z,0.250,-2,0.1\r\n",
    );
    expect(telemetryCsv([])).toBe("time_utc,seconds\r\n");
  });

  test("holds traces side by side", () => {
    const trace = { x0: 0, dx: 0.5, y: [1, 2], xUnit: "s", yUnit: "V", key: "a", device: "d", source: "s", timeMs: 0 };
    expect(tracesCsv([trace, { ...trace, y: [3] }])).toBe(
      "x1 (s),y1 (V) 1970-01-01T00:00:00.000Z,x2 (s),y2 (V) 1970-01-01T00:00:00.000Z\r\n0,1,0,3\r\n0.5,2,,\r\n",
    );
  });
});

describe("traces", () => {
  const value = { x0: 0, dx: 1, y: [1, 2], x_unit: "s", y_unit: "V" };

  test("are told from other values", () => {
    expect(traceOf(value)).toEqual({ x0: 0, dx: 1, y: [1, 2], xUnit: "s", yUnit: "V" });
    for (const other of [null, 3, "x", [1], { x0: 0 }, { ...value, y: ["a"] }]) expect(traceOf(other)).toBeNull();
  });

  test("the last few of each source are kept", () => {
    const held = (key: number, source: string) => {
      const trace = traceOf(value);
      if (trace === null) throw new Error("a trace");
      return { ...trace, key: String(key), device: "scope", source, timeMs: key };
    };
    let traces: Traces = [held(0, "other")];
    for (let key = 1; key <= KEEP_PER_SOURCE + 2; key += 1) traces = withTrace(traces, held(key, "read"));
    expect(traces.map(({ key }) => key)).toEqual(["0", "3", "4", "5", "6", "7"]);
    expect(withoutTraces(traces, "scope")).toEqual([]);
  });
});
