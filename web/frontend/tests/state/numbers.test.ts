import { describe, expect, test } from "vitest";
import {
  axisBounds,
  decimalsOf,
  fixed,
  fromFraction,
  nudged,
  parseNumber,
  scaleOf,
  short,
  significant,
  siPrefix,
  snapped,
  stepOf,
  toFraction,
} from "../../src/state/numbers";

const limit = (low: number | null, high: number | null, step: number | null = null) => ({ low, high, step });

describe("what somebody typed", () => {
  test.each([
    ["3.3", "V", 3.3],
    ["3,3", "V", 3.3],
    [" 1 000 ", "V", 1000],
    ["−2.5 V", "V", -2.5],
    ["1.5k", "Hz", 1500],
    ["1.5 kHz", "Hz", 1500],
    ["20 ms", "s", 0.02],
    ["200 µs", "s", 0.0002],
    ["3 m", "m", 3],
    ["1e3", "", 1000],
    [".5", "A", 0.5],
    ["50 %", "%", 50],
  ])("%s is a number of %s", (typed, unit, number) => expect(parseNumber(typed, unit)).toBeCloseTo(number, 12));

  test.each(["", "V", "1.2.3", "one", "3 W", "--1", "1e", "Infinity"])("%s is none", (typed) =>
    expect(parseNumber(typed, "V")).toBeNull(),
  );
});

describe("steps", () => {
  test("stay on the grid and within the bounds", () => {
    expect(snapped(3.337, limit(0, 12), 0.01)).toBe(3.34);
    expect(snapped(99, limit(0, 12), 0.01)).toBe(12);
    expect(snapped(0.3, limit(-1, 1), 0.1)).toBe(0.3);
    expect(snapped(7.4, limit(0.5, 10), 1)).toBe(7.5);
    expect(nudged(3.3, 1, limit(0, 12), 0.01)).toBe(3.31);
    expect(nudged(0, -1, limit(0, 12), 0.01)).toBe(0);
  });

  test("are declared, or fit the range", () => {
    expect(stepOf(limit(0, 1, 0.25), false)).toBe(0.25);
    expect(stepOf(limit(0, 30), false)).toBe(0.1);
    expect(stepOf(limit(0, 30), true)).toBe(1);
    expect(stepOf(limit(null, null), false)).toBe(0.1);
    expect(decimalsOf(0.05)).toBe(2);
    expect(decimalsOf(5)).toBe(0);
    expect(decimalsOf(1e-12)).toBe(9);
  });

  test("over decades a step is a hundredth of the way, and always moves", () => {
    const wide = limit(1, 1e6, 1);
    expect(nudged(1000, 1, wide, 1)).toBe(1150);
    expect(nudged(1, 1, wide, 1)).toBe(2);
    expect(nudged(1e6, 1, wide, 1)).toBe(1e6);
  });
});

describe("scales", () => {
  test("need two bounds", () => {
    expect(scaleOf(limit(0, null))).toBeNull();
    expect(scaleOf(limit(5, 5))).toBeNull();
    expect(scaleOf(limit(0, 12))).toEqual({ low: 0, high: 12, log: false });
  });

  test.each([limit(0, 12), limit(-10, 10), limit(1, 1e6)])("there and back", (bounds) => {
    const scale = scaleOf(bounds);
    if (scale === null) throw new Error("a scale");
    for (const fraction of [0, 0.25, 0.5, 1]) {
      expect(toFraction(scale, fromFraction(scale, fraction))).toBeCloseTo(fraction, 9);
    }
    expect(toFraction(scale, -1e9)).toBe(0);
    expect(fromFraction(scale, 2)).toBe(scale.high);
  });
});

describe("how numbers are written", () => {
  test("with a true minus, and zero without a sign", () => {
    expect(fixed(-1.5, 2, "en-GB")).toBe("−1.50");
    expect(fixed(-0.001, 1, "zh-CN")).toBe("0.0");
    expect(short(-1234.5, "en-GB")).toBe("−1230");
    expect(significant(1.5, 4, "en-GB")).toBe("1.500");
  });

  test("with an SI prefix where the unit takes one", () => {
    expect(siPrefix(1500, "Hz")).toEqual({ factor: 1e-3, unit: "kHz" });
    expect(siPrefix(0.0002, "s").unit).toBe("µs");
    expect(siPrefix(0.02, "V").unit).toBe("mV");
    expect(siPrefix(1000, "V").unit).toBe("kV");
    expect(siPrefix(1e-15, "A").unit).toBe("nA");
    for (const unit of ["°C", "%", "r", "r/s", ""]) expect(siPrefix(1500, unit)).toEqual({ factor: 1, unit });
    expect(siPrefix(0, "V").unit).toBe("V");
  });
});

describe("bounds of an axis", () => {
  test("leave air, and show at least so much", () => {
    expect(axisBounds(-1, 1, 0)).toEqual([-1.16, 1.16]);
    const [low, high] = axisBounds(5, 5.001, 1);
    expect(high - low).toBeCloseTo(1.16);
    expect((low + high) / 2).toBeCloseTo(5.0005);
  });

  test("show nothing negative where nothing is", () => {
    expect(axisBounds(0, 0, 1)).toEqual([0, expect.closeTo(1.16)]);
    expect(axisBounds(0, 0, 0)[0]).toBe(0);
  });
});
