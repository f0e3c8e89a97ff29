/** One uPlot canvas with our looks: themed axes, units, a cursor that reports, and up to two marks. No framework here. */

import uPlot from "uplot";
import { axisBounds, siPrefix, short } from "../../state/numbers";

export interface CanvasCurve {
  readonly label: string;
  /** Name of the custom property that holds the colour. */
  readonly color: string;
  readonly dash: readonly number[];
  readonly width: number;
  readonly stepped: boolean;
  readonly alpha: number;
}

export interface CanvasOptions {
  readonly curves: readonly CanvasCurve[];
  readonly unit: string;
  readonly xUnit: string;
  readonly locale: string;
  readonly height: number;
  /** Plots of the same key share their cursor. */
  readonly sync: string | null;
  /** How a place on the x axis is written; by default as a number with an SI prefix. */
  readonly xLabels: ((places: readonly number[]) => string[]) | null;
  /** Fixed bounds of the y axis, for on and off. */
  readonly yBounds: readonly [number, number] | null;
  /** The y axis shows at least this much, so that noise is not blown up. */
  readonly leastSpan: number;
  readonly onCursor: (x: number | null) => void;
  readonly onPick: (x: number) => void;
}

export class PlotCanvas {
  readonly #plot: uPlot;
  readonly #root: HTMLElement;
  readonly #observer: ResizeObserver;
  readonly #scheme = matchMedia("(prefers-color-scheme: dark)");
  #marks: readonly number[] = [];
  /** Whether this plot has the mouse or the keyboard; the others only follow its cursor and do not report. */
  #active = false;
  #xRange: readonly [number, number] | null = null;

  constructor(root: HTMLElement, options: CanvasOptions) {
    this.#root = root;
    this.#plot = new uPlot(this.#uplotOptions(options), [[]], root);
    this.#observer = new ResizeObserver(() => this.#fit(options.height));
    this.#observer.observe(root);
    this.#scheme.addEventListener("change", this.#recolour);
    this.#listen(options);
  }

  /** Show these points between these bounds of x (all of them when null). */
  show(data: uPlot.AlignedData, xRange: readonly [number, number] | null, marks: readonly number[]): void {
    this.#marks = marks;
    this.#xRange = xRange;
    this.#plot.setData(data, true);
  }

  /** Move the cursor to a place on the x axis, as the mouse would. */
  moveCursor(x: number): void {
    this.#active = true;
    const left = this.#plot.valToPos(x, "x");
    this.#plot.setCursor({ left, top: this.#plot.over.clientHeight / 2 });
  }

  destroy(): void {
    this.#observer.disconnect();
    this.#scheme.removeEventListener("change", this.#recolour);
    this.#plot.destroy();
  }

  #listen({ onCursor, onPick }: CanvasOptions): void {
    const leave = () => {
      this.#active = false;
      onCursor(null);
    };
    const { over } = this.#plot;
    over.addEventListener("mouseenter", () => (this.#active = true));
    over.addEventListener("mouseleave", leave);
    this.#root.addEventListener("blur", leave);
    over.addEventListener("click", () => {
      const { left } = this.#plot.cursor;
      if (left !== undefined && left >= 0) onPick(this.#plot.posToVal(left, "x"));
    });
  }

  readonly #recolour = (): void => this.#plot.redraw(false, true);

  #fit(height: number): void {
    const width = this.#root.clientWidth;
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height });
  }

  #color(name: string): string {
    return getComputedStyle(this.#root).getPropertyValue(name).trim();
  }

  #uplotOptions(options: CanvasOptions): uPlot.Options {
    const { curves, height, sync, onCursor } = options;
    return {
      width: Math.max(this.#root.clientWidth, 100),
      height,
      padding: [8, 14, 0, 0],
      legend: { show: false },
      cursor: {
        drag: { x: false, y: false },
        y: false,
        points: { size: 7, width: 2 },
        ...(sync === null ? {} : { sync: { key: sync, setSeries: false } }),
      },
      scales: {
        x: { time: false, range: (_plot, low, high) => [...(this.#xRange ?? [low, high])] as [number, number] },
        y: { range: (_plot, low, high) => this.#yRange(options, low, high) },
      },
      axes: [this.#xAxis(options), this.#yAxis(options)],
      series: [{}, ...curves.map((curve) => this.#series(curve))],
      hooks: {
        setCursor: [
          (plot) => {
            const { left } = plot.cursor;
            if (this.#active) onCursor(left === undefined || left < 0 ? null : plot.posToVal(left, "x"));
          },
        ],
        draw: [(plot) => this.#drawMarks(plot)],
      },
    };
  }

  // uPlot has no bounds while there is nothing to show, whatever its types say.
  #yRange({ yBounds, leastSpan }: CanvasOptions, low: number | null, high: number | null): [number, number] {
    if (yBounds !== null) return [...yBounds];
    return low === null || high === null ? [0, 1] : axisBounds(low, high, leastSpan);
  }

  #series(curve: CanvasCurve): uPlot.Series {
    const stepped = curve.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    return {
      label: curve.label,
      stroke: () => this.#color(curve.color),
      width: curve.width,
      dash: [...curve.dash],
      alpha: curve.alpha,
      points: { show: false },
      ...(stepped === undefined ? {} : { paths: stepped }),
    };
  }

  #axis(): uPlot.Axis {
    return {
      stroke: () => this.#color("--ink-quiet"),
      font: "12px system-ui, sans-serif",
      grid: { stroke: () => this.#color("--line"), width: 1 },
      ticks: { show: false },
    };
  }

  #xAxis({ xLabels, xUnit, locale }: CanvasOptions): uPlot.Axis {
    return {
      ...this.#axis(),
      size: 30,
      space: 70,
      values: (_plot, places) => xLabels?.(places) ?? numberLabels(places, xUnit, locale, "last"),
    };
  }

  #yAxis({ unit, locale, yBounds }: CanvasOptions): uPlot.Axis {
    const axis = { ...this.#axis(), size: 62, space: 36 };
    if (yBounds !== null) return { ...axis, splits: () => [0, 1], values: () => ["0", "1"] };
    return { ...axis, values: (_plot, places) => numberLabels(places, unit, locale, "all") };
  }

  #drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    this.#marks.forEach((x, index) => {
      const at = Math.round(plot.valToPos(x, "x", true));
      if (at < bbox.left || at > bbox.left + bbox.width) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = this.#color("--ink");
      ctx.lineWidth = ratio;
      ctx.beginPath();
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = `600 ${12 * ratio}px system-ui, sans-serif`;
      ctx.textBaseline = "top";
      ctx.fillText(index === 0 ? "A" : "B", at + 4 * ratio, bbox.top + 2 * ratio);
      ctx.restore();
    });
  }
}

/** Axis labels that share one SI prefix; the unit stands at every label or only at the last. */
function numberLabels(places: readonly number[], unit: string, locale: string, where: "all" | "last"): string[] {
  const largest = Math.max(...places.map(Math.abs), 0);
  const si = siPrefix(largest, unit);
  return places.map((place, index) => {
    const number = short(Number((place * si.factor).toPrecision(6)), locale);
    return si.unit !== "" && (where === "all" || index === places.length - 1) ? `${number} ${si.unit}` : number;
  });
}
