/** Scope traces: one plot per source with the last few traces, the newest strong, the older ones faint. */

import { useEffect, useState } from "preact/hooks";
import uPlot from "uplot";
import { actionOf, deviceOf, type Bench } from "../../state/bench";
import { tracesCsv } from "../../state/csv";
import type { HeldTrace } from "../../state/traces";
import { useConsole, useLab, useLanguage } from "../context";
import { Icon } from "../icons";
import { saveFile } from "./download";
import { useCanvas } from "./use-canvas";

export function Traces({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const traces = useConsole((state) => state.traces);
  if (traces.length === 0) return null;
  const sources = new Map<string, HeldTrace[]>();
  for (const trace of traces) {
    const key = `${trace.device}.${trace.source} ${trace.xUnit} ${trace.yUnit}`;
    sources.set(key, [...(sources.get(key) ?? []), trace]);
  }
  return (
    <section class="card traces" aria-labelledby="traces-title">
      <header class="card-head">
        <h2 id="traces-title">{t("trace.title")}</h2>
      </header>
      <div class="plot-list">
        {[...sources].map(([key, held]) => (
          <TracePlot key={key} bench={bench} held={held} />
        ))}
      </div>
    </section>
  );
}

function TracePlot({ bench, held }: { bench: Bench; held: readonly HeldTrace[] }) {
  const language = useLanguage();
  const lab = useLab();
  const [cursor, setCursor] = useState<number | null>(null);
  const [marks, setMarks] = useState<readonly number[]>([]);
  const latest = held[held.length - 1];
  const { root, canvas } = useCanvas(
    {
      curves: held.map((_, index) => ({
        label: String(index + 1),
        color: "--curve-0",
        dash: [],
        width: index === held.length - 1 ? 2 : 1,
        stepped: false,
        alpha: index === held.length - 1 ? 1 : 0.4,
      })),
      unit: latest?.yUnit ?? "",
      xUnit: latest?.xUnit ?? "",
      locale: language.locale,
      height: 240,
      sync: null,
      xLabels: null,
      yBounds: null,
      leastSpan: 0,
      onCursor: setCursor,
      onPick: (x) => setMarks((before) => [...before, x].slice(-2).sort((a, b) => a - b)),
    },
    `${held.length} ${language.code} ${latest?.yUnit} ${latest?.xUnit}`,
  );
  useEffect(() => canvas.current?.show(joined(held), null, marks), [held, marks, language.code]);
  if (latest === undefined) return null;
  const name = sourceName(bench, latest, language.text);
  return (
    <figure class="plot">
      <figcaption>
        {name}
        <span class="badge">{language.t("trace.held", { count: held.length })}</span>
        <span class="toolbar">
          <button type="button" class="button button-quiet" onClick={() => lab.clearTraces(latest.device)}>
            {language.t("trace.clear")}
          </button>
          <button
            type="button"
            class="button"
            aria-label={`${name}: ${language.t("plot.csv.label")}`}
            onClick={() => saveFile(`${bench.name}-${latest.source}.csv`, tracesCsv(held))}
          >
            <Icon name="download" />
            {language.t("plot.csv")}
          </button>
        </span>
      </figcaption>
      <div class="plot-canvas" ref={root} role="img" aria-label={summary(name, latest, language)} />
      <Readout trace={latest} cursor={cursor} marks={marks} />
    </figure>
  );
}

function Readout({ trace, cursor, marks }: { trace: HeldTrace; cursor: number | null; marks: readonly number[] }) {
  const { prefixed, t } = useLanguage();
  const [a, b] = marks;
  const at = (x: number) => {
    const y = trace.y[Math.round((x - trace.x0) / trace.dx)];
    return `${prefixed(x, trace.xUnit)}  ${y === undefined ? "–" : prefixed(y, trace.yUnit)}`;
  };
  return (
    <p class="trace-readout">
      {cursor !== null && <span>{at(cursor)}</span>}
      {a !== undefined && <span>A {at(a)}</span>}
      {b !== undefined && <span>B {at(b)}</span>}
      {a !== undefined && b !== undefined && a !== b && (
        <span>
          {t("plot.delta")} {prefixed(b - a, trace.xUnit)}
          {trace.xUnit === "s" && ` (${prefixed(1 / (b - a), "Hz")})`}
        </span>
      )}
    </p>
  );
}

/** All traces over one x axis. Traces of one setting share their x values and need no joining. */
function joined(held: readonly HeldTrace[]): uPlot.AlignedData {
  const tables = held.map(({ x0, dx, y }): uPlot.AlignedData => [y.map((_, index) => x0 + index * dx), [...y]]);
  const [first] = held;
  if (first === undefined) return [[]];
  const same = held.every(({ x0, dx, y }) => x0 === first.x0 && dx === first.dx && y.length === first.y.length);
  if (!same) return uPlot.join(tables);
  return [tables[0]?.[0] ?? [], ...held.map(({ y }) => [...y])];
}

function sourceName(bench: Bench, trace: HeldTrace, text: (value: { en: string; zh: string }) => string): string {
  const device = deviceOf(bench, trace.device);
  const source =
    actionOf(bench, trace.device, trace.source) ?? device?.properties.find(({ name }) => name === trace.source);
  return [device, source].map((thing) => (thing === undefined ? "" : text(thing.title))).join(" · ");
}

function summary(name: string, trace: HeldTrace, { t, prefixed }: ReturnType<typeof useLanguage>): string {
  const [low, high] = trace.y.reduce(
    ([least, most], y) => [Math.min(least, y), Math.max(most, y)],
    [Infinity, -Infinity],
  );
  return t("trace.aria", {
    name,
    count: trace.y.length,
    from: prefixed(trace.x0, trace.xUnit),
    to: prefixed(trace.x0 + trace.dx * (trace.y.length - 1), trace.xUnit),
    low: prefixed(low, trace.yUnit),
    high: prefixed(high, trace.yUnit),
  });
}
