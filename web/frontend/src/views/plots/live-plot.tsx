/** One live plot and, under it, its curves in numbers: now or at the cursor, at the marks, lowest, highest, mean. */

import { useEffect } from "preact/hooks";
import { deviceOf, type Bench } from "../../state/bench";
import { aligned } from "../../state/series";
import { columnStats, valueNear } from "../../state/stats";
import type { Property } from "../../wire/model";
import type { Language } from "../../i18n/language";
import { useConsole, useLab, useLanguage } from "../context";
import { readingText } from "../words";
import type { CanvasOptions } from "./canvas";
import { DASHES, type CurveGroup, type PlottedCurve } from "./curves";
import { useSampleRate, type PlotView } from "./plots";
import { useCanvas } from "./use-canvas";

/** A plot moves on by about a pixel each time it is drawn, but not more often than this. */
const DRAW_EVERY_MS = 80;
const WIDTH_PX = 650;
const HEIGHT = { numbers: 168, states: 92 };
/** Curves are broken where nothing was read for this long, or for five polls. */
const GAP_MS = 2_500;

interface Props {
  group: CurveGroup;
  view: PlotView;
  change: (part: Partial<PlotView>) => void;
}

export function LivePlot({ group, view, change }: Props) {
  const language = useLanguage();
  const lab = useLab();
  const bench = useConsole((state) => state.bench);
  useSampleRate(Math.max(DRAW_EVERY_MS, view.windowMs / WIDTH_PX));
  const names = group.curves.map((curve) => curveName(curve, group, bench, language));
  // The x axis counts seconds before the right edge, so that its labels stand still while the curves move.
  const endMs = view.pausedMs ?? lab.serverMs() ?? 0;
  const pick = (x: number) => change({ marksMs: [...view.marksMs, endMs + x * 1000].slice(-2).sort((a, b) => a - b) });
  const options = canvasOptions(group, names, language, (cursorS) => change({ cursorS }), pick);
  const { root, canvas } = useCanvas(options, `${group.curves.map(({ key }) => key).join()} ${language.code}`);

  useEffect(() => {
    const curves = group.curves.map(({ device, property }) => ({
      series: lab.telemetry.of(device),
      column: property.name,
      gapMs: Math.max(GAP_MS, 5 * (property.poll_ms ?? 0)),
    }));
    const [times, ...values] = aligned(curves, endMs - view.windowMs, endMs);
    const marks = view.marksMs.map((timeMs) => (timeMs - endMs) / 1000);
    const data = [times.map((time) => time - endMs / 1000), ...values] as Parameters<
      NonNullable<typeof canvas.current>["show"]
    >[0];
    canvas.current?.show(data, [-view.windowMs / 1000, 0], marks);
  });

  const onKeyDown = (event: KeyboardEvent) => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = view.cursorS ?? 0;
    if (direction !== undefined) canvas.current?.moveCursor(Math.min(0, at + (direction * view.windowMs) / 60_000));
    else if (event.key === "Enter") pick(at);
    else if (event.key === "Escape") change({ marksMs: [], cursorS: null });
    else return;
    event.preventDefault();
  };
  const title = group.kind === "states" ? language.t("plot.states") : group.unit;
  return (
    <figure class="plot">
      <figcaption>
        {title === "" ? language.t("plot.no_unit") : title}
        {view.pausedMs !== null && <span class="badge">{language.t("plot.paused")}</span>}
      </figcaption>
      <div
        class="plot-canvas"
        ref={root}
        role="group"
        tabIndex={0}
        aria-label={language.t("plot.aria", { names: names.join(", ") })}
        onKeyDown={onKeyDown}
      />
      <CurveTable group={group} names={names} view={view} endMs={endMs} />
    </figure>
  );
}

function canvasOptions(
  group: CurveGroup,
  names: readonly string[],
  language: Language,
  onCursor: (x: number | null) => void,
  onPick: (x: number) => void,
): CanvasOptions {
  return {
    curves: group.curves.map(({ index }, at) => ({
      label: names[at] ?? "",
      color: `--curve-${index}`,
      dash: at === 0 ? [] : (DASHES[at % DASHES.length] ?? []),
      width: 2,
      stepped: group.kind === "states",
      alpha: 1,
    })),
    unit: group.unit,
    xUnit: "s",
    locale: language.locale,
    height: HEIGHT[group.kind],
    sync: "telemetry",
    xLabels: (places) => places.map((seconds) => (seconds === 0 ? "0 s" : `${language.short(seconds)} s`)),
    yBounds: group.kind === "states" ? [-0.15, 1.15] : null,
    leastSpan: Math.max(0, ...group.curves.map(({ property }) => usualSpan(property))) / 50,
    onCursor,
    onPick,
  };
}

function CurveTable({
  group,
  names,
  view,
  endMs,
}: {
  group: CurveGroup;
  names: readonly string[];
  view: PlotView;
  endMs: number;
}) {
  const language = useLanguage();
  const lab = useLab();
  const { t } = language;
  const [a, b] = view.marksMs;
  const numbers = group.kind === "numbers";
  return (
    <table class="curves">
      <thead>
        <tr>
          <th scope="col">{t("plot.curve")}</th>
          <th scope="col">
            {view.cursorS === null ? t("plot.now") : t("plot.at", { time: `${language.short(view.cursorS)} s` })}
          </th>
          {a !== undefined && <th scope="col">A</th>}
          {b !== undefined && <th scope="col">B</th>}
          {a !== undefined && b !== undefined && numbers && (
            <th scope="col">
              {t("plot.delta")} <span class="quiet">({language.short((b - a) / 1000)} s)</span>
            </th>
          )}
          {numbers &&
            a === undefined &&
            ["plot.min", "plot.max", "plot.mean"].map((key) => (
              <th key={key} scope="col" class="wide">
                {language.maybe(key)}
              </th>
            ))}
        </tr>
      </thead>
      <tbody>
        {group.curves.map((curve, index) => {
          const series = lab.telemetry.of(curve.device);
          const at = (timeMs: number) => valueNear(series, curve.property.name, timeMs);
          const show = (value: number | null) => shown(value, curve, language);
          const [valueA, valueB] = [a === undefined ? null : at(a), b === undefined ? null : at(b)];
          const stats = columnStats(series, curve.property.name, endMs - view.windowMs, endMs);
          return (
            <tr key={curve.key} data-curve={curve.index}>
              <th scope="row">
                <Swatch dash={index === 0 ? [] : (DASHES[index % DASHES.length] ?? [])} />
                {names[index]}
              </th>
              <td>{show(at(endMs + (view.cursorS ?? 0) * 1000))}</td>
              {a !== undefined && <td>{show(valueA)}</td>}
              {b !== undefined && <td>{show(valueB)}</td>}
              {a !== undefined && b !== undefined && numbers && (
                <td>{show(valueA === null || valueB === null ? null : valueB - valueA)}</td>
              )}
              {numbers &&
                a === undefined &&
                [stats?.low, stats?.high, stats?.mean].map((value, at) => (
                  <td key={at} class="wide">
                    {show(value ?? null)}
                  </td>
                ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** How far a reading usually ranges; 0 when nobody says. */
function usualSpan({ limit }: Property): number {
  return limit.low === null || limit.high === null ? 0 : limit.high - limit.low;
}

function Swatch({ dash }: { dash: readonly number[] }) {
  return (
    <svg class="swatch-line" viewBox="0 0 22 4" aria-hidden="true">
      <line x1="1" y1="2" x2="21" y2="2" stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}

function shown(value: number | null, { property }: PlottedCurve, language: Language): string {
  if (value === null) return "–";
  return readingText(property, property.type === "bool" ? value > 0.5 : value, language);
}

/** The reading's title; with the instrument's when another curve of the plot has the same. */
function curveName(curve: PlottedCurve, group: CurveGroup, bench: Bench | null, language: Language): string {
  const title = language.text(curve.property.title);
  const alone = group.curves.every((other) => other === curve || other.device === curve.device);
  const device = bench === null ? undefined : deviceOf(bench, curve.device);
  return alone || device === undefined ? title : `${title}, ${language.text(device.title)}`;
}
