/** Numbers with units: how they are written, read back from what somebody typed, stepped and placed on a scale. */

import type { Limit } from "../wire/model";

/** `null` for what is no number. Takes a decimal comma, spaces, a unit at the end and an SI prefix before it. */
export function parseNumber(typed: string, unit: string): number | null {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-zµμ°Ω%/]*)$/i.exec(
    typed.replace(/\s/g, "").replace(",", ".").replace("−", "-"),
  );
  if (match === null) return null;
  const number = Number(match[1]);
  const factor = factorOf(match[2] ?? "", unit);
  return factor === null || !Number.isFinite(number) ? null : number * factor;
}

const PREFIXES: Readonly<Record<string, number>> = {
  G: 1e9,
  M: 1e6,
  k: 1e3,
  "": 1,
  m: 1e-3,
  µ: 1e-6,
  μ: 1e-6,
  u: 1e-6,
  n: 1e-9,
};

function factorOf(suffix: string, unit: string): number | null {
  const prefix =
    suffix.toLowerCase() === unit.toLowerCase()
      ? ""
      : suffix.endsWith(unit)
        ? suffix.slice(0, suffix.length - unit.length)
        : suffix;
  return PREFIXES[prefix] ?? null;
}

/** The decimals that a step needs: 0.05 needs two. */
export function decimalsOf(step: number): number {
  for (let decimals = 0; decimals < 9; decimals += 1) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) <= 1e-6 * Math.abs(scaled)) return decimals;
  }
  return 9;
}

/** The knob's resolution: the declared step, or a thousandth of the range rounded to a power of ten. */
export function stepOf(limit: Limit, isInt: boolean): number {
  if (limit.step !== null && limit.step > 0) return limit.step;
  if (isInt) return 1;
  if (limit.low === null || limit.high === null || limit.high <= limit.low) return 0.1;
  return 10 ** Math.floor(Math.log10((limit.high - limit.low) / 100));
}

/** The nearest allowed value: on the grid of steps, within the bounds. */
export function snapped(value: number, limit: Limit, step: number): number {
  const origin = limit.low ?? 0;
  const onGrid = origin + Math.round((value - origin) / step) * step;
  return clamped(Number(onGrid.toFixed(decimalsOf(step) + decimalsOf(origin))), limit);
}

export function clamped(value: number, limit: Limit): number {
  return Math.min(limit.high ?? Infinity, Math.max(limit.low ?? -Infinity, value));
}

/** A scale from 0 to 1, logarithmic when the range spans decades. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
}

/** From this ratio of its bounds on, equal turns of a knob mean equal factors. */
const LOG_FROM = 200;

export function scaleOf(limit: Limit): Scale | null {
  const { low, high } = limit;
  if (low === null || high === null || high <= low) return null;
  return { low, high, log: low > 0 && high / low >= LOG_FROM };
}

export function toFraction(scale: Scale, value: number): number {
  const { low, high, log } = scale;
  const fraction = log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.min(1, Math.max(0, fraction));
}

export function fromFraction(scale: Scale, fraction: number): number {
  const { low, high, log } = scale;
  const at = Math.min(1, Math.max(0, fraction));
  return log ? low * (high / low) ** at : low + at * (high - low);
}

/** One or more steps up or down; on a logarithmic scale a step is about a hundredth of the way. */
export function nudged(value: number, steps: number, limit: Limit, step: number): number {
  const scale = scaleOf(limit);
  if (scale?.log === true) {
    const next = fromFraction(scale, toFraction(scale, value) + steps / 100);
    const moved = snapped(Number(next.toPrecision(3)), limit, step);
    if (moved !== value) return moved;
  }
  return snapped(value + (scale?.log === true ? Math.sign(steps) : steps) * step, limit, step);
}

/** A number with fixed decimals in a language's own form, a true minus sign included. */
export function fixed(value: number, decimals: number, language: string): string {
  return new Intl.NumberFormat(language, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    useGrouping: false,
    signDisplay: "negative",
  })
    .format(value)
    .replace("-", "−");
}

/** A short form for axes and delays: at most three significant digits. */
export function short(value: number, language: string): string {
  return new Intl.NumberFormat(language, { maximumSignificantDigits: 3, useGrouping: false })
    .format(value)
    .replace("-", "−");
}

/** A fixed count of significant digits, so that a live reading does not change its width. */
export function significant(value: number, digits: number, language: string): string {
  const options = { minimumSignificantDigits: digits, maximumSignificantDigits: digits, useGrouping: false };
  return new Intl.NumberFormat(language, options).format(value).replace("-", "−");
}

/** Units that take SI prefixes. Others (°C, %, r/s) stay as they are. */
const PREFIXED = new Set(["V", "A", "W", "Hz", "s", "Ω", "F", "H", "m", "g", "N", "Pa", "J", "T", "K", "C", "S", "B"]);

/** The SI prefix that brings a number of this size between 1 and 1000. */
export function siPrefix(size: number, unit: string): { factor: number; unit: string } {
  if (!PREFIXED.has(unit) || size === 0 || !Number.isFinite(size)) return { factor: 1, unit };
  const order = Math.floor(Math.log10(Math.abs(size) * (1 + 1e-9)) / 3) * 3;
  const power = Math.min(9, Math.max(-9, order));
  const prefix = { 9: "G", 6: "M", 3: "k", 0: "", [-3]: "m", [-6]: "µ", [-9]: "n" }[power] ?? "";
  return { factor: 10 ** -power, unit: prefix + unit };
}

/** Bounds of an axis with a little air. What hardly moves is not blown up: at least `leastSpan` is shown. */
export function axisBounds(low: number, high: number, leastSpan: number): [number, number] {
  const least = leastSpan > 0 ? leastSpan : Math.max(Math.abs(high) * 0.02, 0.02);
  const missing = Math.max(0, least - (high - low)) / 2;
  const air = (high - low + 2 * missing) * 0.08;
  const [bottom, top] = [low - missing - air, high + missing + air];
  // Nothing negative is shown where nothing is negative.
  return low >= 0 && bottom < 0 ? [0, top - bottom] : [bottom, top];
}
