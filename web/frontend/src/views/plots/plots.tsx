/** Live plots of all telemetry: one per unit, with a common time window, pause, cursor, marks and download. */

import { useEffect, useState } from "preact/hooks";
import type { Bench } from "../../state/bench";
import { telemetryCsv } from "../../state/csv";
import { useLab, useLanguage, useSelect } from "../context";
import { Icon } from "../icons";
import { curveGroups, plottedCurves, type CurveGroup } from "./curves";
import { saveFile } from "./download";
import { LivePlot } from "./live-plot";

export const WINDOWS_S = [30, 120, 600] as const;

/** What all plots share: times are server milliseconds. */
export interface PlotView {
  readonly windowMs: number;
  /** The right edge while paused. */
  readonly pausedMs: number | null;
  /** Where the cursor stands, in seconds from the right edge (negative). */
  readonly cursorS: number | null;
  readonly marksMs: readonly number[];
}

export function Plots({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const [view, setView] = useState<PlotView>({ windowMs: 30_000, pausedMs: null, cursorS: null, marksMs: [] });
  const groups = curveGroups(bench);
  const change = (part: Partial<PlotView>) => setView((before) => changed(before, part));
  return (
    <section class="card plots" aria-labelledby="plots-title">
      <header class="card-head">
        <h2 id="plots-title">{t("plot.title")}</h2>
        {groups.length > 0 && <Toolbar bench={bench} view={view} change={change} />}
      </header>
      {groups.length === 0 ? (
        <div class="empty">
          <p>{t("plot.nothing")}</p>
          <p class="quiet">{t("plot.nothing.detail")}</p>
        </div>
      ) : (
        <Groups groups={groups} view={view} change={change} />
      )}
    </section>
  );
}

/** The cursor reports with every drawing: what changes nothing must not draw again. */
function changed(before: PlotView, part: Partial<PlotView>): PlotView {
  const after = { ...before, ...part };
  return (Object.keys(part) as (keyof PlotView)[]).every((key) => before[key] === after[key]) ? before : after;
}

interface Shared {
  view: PlotView;
  change: (part: Partial<PlotView>) => void;
}

function Groups({ groups, view, change }: Shared & { groups: readonly CurveGroup[] }) {
  const { t } = useLanguage();
  const any = useSelect(useLab().samples, (count) => count > 0);
  if (!any) {
    return (
      <div class="empty">
        <p>{t("plot.empty")}</p>
        <p class="quiet">{t("plot.empty.detail")}</p>
      </div>
    );
  }
  return (
    <div class="plot-list">
      {groups.map((group) => (
        <LivePlot key={group.key} group={group} view={view} change={change} />
      ))}
      <p class="quiet plot-hint">{t("plot.mark.hint")}</p>
    </div>
  );
}

function Toolbar({ bench, view, change }: Shared & { bench: Bench }) {
  const lab = useLab();
  const { t, text } = useLanguage();
  const { windowMs, pausedMs, marksMs } = view;
  const pause = () => change({ pausedMs: pausedMs === null ? lab.serverMs() : null });
  const download = () => {
    const devices = new Map(bench.description?.devices.map((device) => [device.name, text(device.title)]));
    const columns = plottedCurves(bench).map(({ device, property }) => ({
      title: `${devices.get(device) ?? device} ${text(property.title)}${property.unit && ` (${property.unit})`}`,
      series: lab.telemetry.of(device),
      column: property.name,
    }));
    saveFile(`${bench.name}-telemetry.csv`, telemetryCsv(columns));
  };
  return (
    <div class="toolbar">
      {marksMs.length > 0 && (
        <button type="button" class="button button-quiet" onClick={() => change({ marksMs: [] })}>
          {t("plot.marks.clear")}
        </button>
      )}
      <div class="segmented" role="group" aria-label={t("plot.window")}>
        {WINDOWS_S.map((seconds) => (
          <button
            key={seconds}
            type="button"
            aria-pressed={windowMs === seconds * 1000}
            onClick={() => change({ windowMs: seconds * 1000 })}
          >
            {t(`plot.window.${seconds}`)}
          </button>
        ))}
      </div>
      <button type="button" class="button" aria-pressed={pausedMs !== null} onClick={pause}>
        <Icon name={pausedMs === null ? "pause" : "play"} />
        {t(pausedMs === null ? "plot.pause" : "plot.resume")}
      </button>
      <button type="button" class="button" aria-label={t("plot.csv.label")} onClick={download}>
        <Icon name="download" />
        {t("plot.csv")}
      </button>
    </div>
  );
}

/** Draws the view again at the pace of the telemetry, but not faster than this. */
export function useSampleRate(everyMs: number): void {
  const { samples } = useLab();
  const [, draw] = useState(0);
  useEffect(() => {
    let handle: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = samples.subscribe(() => {
      handle ??= setTimeout(() => {
        handle = undefined;
        draw((count) => count + 1);
      }, everyMs);
    });
    return () => {
      unsubscribe();
      clearTimeout(handle);
    };
  }, [samples, everyMs]);
}
