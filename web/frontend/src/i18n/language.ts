/** The page's languages: which one to use, and texts and numbers in it. */

import { fixed, short, significant, siPrefix } from "../state/numbers";
import type { Text } from "../wire/model";
import { en, type Catalogue, type Key } from "./en";
import { zh } from "./zh";

export type LanguageCode = "en" | "zh";
export type { Key };

export const CATALOGUES: Readonly<Record<LanguageCode, Catalogue>> = { en, zh };
const LOCALES: Readonly<Record<LanguageCode, string>> = { en: "en-GB", zh: "zh-CN" };

/** The language to begin with: the address, then what was chosen before, then what the browser prefers. */
export function chosenLanguage(query: string, stored: string | null, preferred: readonly string[]): LanguageCode {
  const asked = new URLSearchParams(query).get("lang") ?? stored;
  for (const tag of [asked ?? "", ...preferred]) {
    const code = tag.toLowerCase().split("-")[0];
    if (code === "en" || code === "zh") return code;
  }
  return "en";
}

export type Fill = Readonly<Record<string, string | number>>;

export class Language {
  readonly code: LanguageCode;
  readonly locale: string;

  constructor(code: LanguageCode) {
    this.code = code;
    this.locale = LOCALES[code];
  }

  /** A text of the catalogue with its gaps filled in. */
  readonly t = (key: Key, fill: Fill = {}): string =>
    CATALOGUES[this.code][key].replace(/\{(\w+)\}/g, (gap, name: string) => String(fill[name] ?? gap));

  /** A text of the catalogue whose key is only known at run time, or null. */
  readonly maybe = (key: string, fill: Fill = {}): string | null =>
    Object.hasOwn(CATALOGUES[this.code], key) ? this.t(key as Key, fill) : null;

  /** A text that came from the bench, in this language or, when that is empty, in the other. */
  readonly text = (text: Text): string => text[this.code] || text.en || text.zh;

  /** A number with its unit, as people write it: a thin space before the unit, none before a degree of angle. */
  readonly quantity = (value: number, decimals: number, unit: string): string =>
    withUnit(fixed(value, decimals, this.locale), unit);

  /** A number of any size, with an SI prefix. */
  readonly prefixed = (value: number, unit: string): string => {
    const si = siPrefix(value, unit);
    return withUnit(short(value * si.factor, this.locale), si.unit);
  };

  /** A live reading that may be of any size: four significant digits and an SI prefix. */
  readonly live = (value: number, unit: string): string => {
    const si = siPrefix(value, unit);
    return withUnit(significant(value * si.factor, 4, this.locale), si.unit);
  };

  /** The same for a value that is set: as many digits as it has. */
  readonly exact = (value: number, unit: string): string => {
    const si = siPrefix(value, unit);
    return withUnit(String(Number((value * si.factor).toPrecision(9))).replace("-", "−"), si.unit);
  };

  readonly short = (value: number): string => short(value, this.locale);

  /** A time of day. */
  readonly clock = (timeMs: number): string => new Intl.DateTimeFormat(this.locale, CLOCK).format(timeMs);
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };

function withUnit(number: string, unit: string): string {
  return unit === "" ? number : unit === "°" ? number + unit : `${number}\u202f${unit}`;
}

/** A span of time as minutes and seconds. */
export function minutes(spanMs: number): string {
  const seconds = Math.max(0, Math.ceil(spanMs / 1000));
  const [hours, rest] = [Math.floor(seconds / 3600), seconds % 3600];
  const tail = `${String(Math.floor(rest / 60)).padStart(hours > 0 ? 2 : 1, "0")}:${String(rest % 60).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}
