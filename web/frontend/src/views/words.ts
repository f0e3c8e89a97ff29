/** Sentences made of state: reasons, failures, values, names of actions. */

import type { Key, Language } from "../i18n/language";
import type { Reason } from "../state/access";
import { actionOf, blockersOf, deviceOf, interlockOf, nameOf, type Bench } from "../state/bench";
import type { LogEntry } from "../state/log";
import type { Value } from "../wire/read";
import type { Limit, Parameter, Property } from "../wire/model";
import { decimalsOf, scaleOf, stepOf } from "../state/numbers";
import { traceOf } from "../state/traces";

/** Why something is disabled, in words. */
export function reasonText(reason: Reason, language: Language): string {
  const { t } = language;
  switch (reason.kind) {
    case "bench":
      return t(`why.bench_${reason.state}` as Key);
    case "device":
      return t(`why.device_${reason.state}` as Key);
    case "held":
      return t("why.held", { name: reason.name });
    case "interlock":
      return t("why.interlock", { text: language.text(reason.text) });
    case "not_connected":
    case "stopped":
    case "observer":
    case "free":
      return t(`why.${reason.kind}`);
  }
}

/** What went wrong with a command: the interlock's own words, our sentence for the code, else the server's text. */
export function failureText(entry: LogEntry, bench: Bench | null, language: Language): string {
  if (entry.kind === "interlock") {
    const interlock = bench === null ? undefined : interlockOf(bench, entry.action);
    if (interlock === undefined) return entry.action;
    return `${language.text(interlock.text)}${interlock.makes_safe ? ` ${language.t("log.made_safe")}` : ""}`;
  }
  if (entry.code === "interlocked" && bench !== null) {
    const [blocker] = blockersOf(bench, entry.device, entry.action);
    if (blocker !== undefined) return language.text(blocker.text);
  }
  return errorText(entry.code ?? entry.phase, entry.text, language);
}

/** A sentence for a code. The server's own text says more, but only in English. */
export function errorText(code: string, text: string, language: Language): string {
  if (language.code === "en" && text !== "") return text;
  return language.maybe(`code.${code}`) ?? (text === "" ? language.t("notice.request") : text);
}

/** What a command was: the instrument's and the action's titles. */
export function actionText(entry: LogEntry, bench: Bench | null, language: Language): string {
  if (entry.kind === "stop") return language.t("log.stop");
  if (entry.kind === "stop_cleared") return language.t("log.stop_cleared");
  if (entry.kind === "interlock") return language.t("log.interlock");
  const action = bench === null ? undefined : actionOf(bench, entry.device, entry.action);
  return action === undefined ? entry.action : language.text(action.title);
}

export function deviceText(entry: LogEntry, bench: Bench | null, language: Language): string {
  const device = bench === null ? undefined : deviceOf(bench, entry.device);
  return device === undefined ? entry.device : language.text(device.title);
}

/** The arguments of a command, with their units; names only where there is more than one. */
export function argsText(entry: LogEntry, bench: Bench | null, language: Language): string {
  const action = bench === null ? undefined : actionOf(bench, entry.device, entry.action);
  const names = Object.keys(entry.args);
  return names
    .map((name) => {
      const parameter = action?.parameters.find((candidate) => candidate.name === name);
      const value = argumentText(entry.args[name] ?? null, parameter, language);
      return names.length === 1 ? value : `${parameter ? language.text(parameter.title) : name} ${value}`;
    })
    .join(", ");
}

function argumentText(value: Value, parameter: Parameter | undefined, language: Language): string {
  if (typeof value !== "number") return valueText(value, "", 0, language);
  if (parameter === undefined) return language.short(value);
  return settingText(
    value,
    parameter.limit,
    stepOf(parameter.limit, parameter.type === "int"),
    parameter.unit,
    language,
  );
}

/** A number that is set: with the decimals of its step, or with an SI prefix when its range spans decades. */
export function settingText(value: number, limit: Limit, step: number, unit: string, language: Language): string {
  if (scaleOf(limit)?.log === true) return language.exact(value, unit);
  return language.quantity(value, decimalsOf(step), unit);
}

/** Any value in words. */
export function valueText(value: Value, unit: string, decimals: number, language: Language): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return language.t(value ? "set.on" : "set.off");
  if (typeof value === "number") return language.quantity(value, decimals, unit);
  if (typeof value === "string") return value;
  const trace = traceOf(value);
  return trace === null ? "…" : `${trace.y.length} × ${trace.yUnit}`;
}

/** A reading of a property, with its unit. */
export function readingText(property: Property, value: Value, language: Language): string {
  if (typeof value === "number" && scaleOf(property.limit)?.log === true) return language.live(value, property.unit);
  return valueText(value, property.unit, property.type === "int" ? 0 : property.decimals, language);
}

/** The bounds of a value in words; empty when it has none. */
export function rangeText({ low, high }: Limit, unit: string, language: Language): string {
  const bound = (value: number) => (unit === "" ? language.short(value) : language.exact(value, unit));
  if (low !== null && high !== null) return language.t("set.range", { low: bound(low), high: bound(high) });
  if (low !== null) return language.t("set.at_least", { low: bound(low) });
  return high === null ? "" : language.t("set.at_most", { high: bound(high) });
}

/** Who did something: “you” for oneself. */
export function whoText(participant: string, me: string, bench: Bench | null, language: Language): string {
  if (participant === me) return language.t("log.by_you");
  return bench === null ? participant : nameOf(bench, participant);
}
