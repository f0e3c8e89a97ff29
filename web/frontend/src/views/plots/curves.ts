/** Which readings are plotted, in which plot, and how each curve looks everywhere on the page. */

import { isSetting, target, type Bench } from "../../state/bench";
import type { Property } from "../../wire/model";

/** Colours come from the style sheet as `--curve-0` and on; dashes tell curves apart without colour. */
export const CURVE_STYLES = 8;
export const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 4],
  [2, 3],
  [9, 3, 2, 3],
  [],
  [7, 4],
  [2, 3],
  [9, 3, 2, 3],
];

export interface PlottedCurve {
  readonly key: string;
  readonly device: string;
  readonly property: Property;
  readonly index: number;
}

export interface CurveGroup {
  readonly key: string;
  readonly unit: string;
  readonly kind: "numbers" | "states";
  readonly curves: readonly PlottedCurve[];
}

/** The plottable readings of a bench, in the order of its description. */
export function plottedCurves(bench: Bench): readonly PlottedCurve[] {
  const curves: PlottedCurve[] = [];
  for (const device of bench.description?.devices ?? []) {
    for (const property of device.properties) {
      if (property.poll_ms === null || property.type === "str" || property.type === "trace") continue;
      if (isSetting(device, property)) continue;
      const index = curves.length % CURVE_STYLES;
      curves.push({ key: target(device.name, property.name), device: device.name, property, index });
    }
  }
  return curves;
}

/** One plot per unit, and one for what is only on or off. */
export function curveGroups(bench: Bench): readonly CurveGroup[] {
  const groups = new Map<string, PlottedCurve[]>();
  for (const curve of plottedCurves(bench)) {
    const key = curve.property.type === "bool" ? "states" : `unit ${curve.property.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), curve]);
  }
  const all = [...groups].map(([key, curves]) => ({
    key,
    unit: curves[0]?.property.unit ?? "",
    kind: key === "states" ? ("states" as const) : ("numbers" as const),
    curves,
  }));
  return [...all.filter(({ kind }) => kind === "numbers"), ...all.filter(({ kind }) => kind === "states")];
}

/** How the curve of a reading looks, or null when it is not plotted. */
export function curveStyle(bench: Bench, device: string, property: string): PlottedCurve | null {
  return plottedCurves(bench).find(({ key }) => key === target(device, property)) ?? null;
}
