/** A rotary knob: drag up or right for more, or use the keyboard. A dot on its rim shows what the instrument reads. */

import { useRef } from "preact/hooks";
import { fromFraction, nudged, snapped, toFraction, type Scale } from "../../state/numbers";
import type { Limit } from "../../wire/model";

const SWEEP_DEG = 270;
/** A drag of this many pixels goes from one end of the scale to the other. */
export const TRAVEL_PX = 220;

interface Props {
  scale: Scale;
  limit: Limit;
  step: number;
  value: number;
  reading: number | null;
  label: string;
  describedBy: string;
  valueText: string;
  disabled: boolean;
  onTurn: (value: number) => void;
  onHold: (held: boolean) => void;
}

export function Knob(props: Props) {
  const { scale, value, reading, disabled } = props;
  const handlers = useTurning(props);
  const at = toFraction(scale, value);
  // Where a scale runs through zero, the arc grows from there.
  const origin = scale.low < 0 && scale.high > 0 ? toFraction(scale, 0) : 0;
  return (
    <div
      class="knob"
      role="slider"
      tabIndex={disabled ? -1 : 0}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      aria-valuemin={scale.low}
      aria-valuemax={scale.high}
      aria-valuenow={value}
      aria-valuetext={props.valueText}
      aria-disabled={disabled}
      {...handlers}
    >
      <svg viewBox="0 0 100 90" aria-hidden="true">
        <Ticks />
        <path class="knob-track" d={arc(0, 1, 40)} />
        {Math.abs(at - origin) > 0.001 && (
          <path class="knob-arc" d={arc(Math.min(at, origin), Math.max(at, origin), 40)} />
        )}
        <circle class="knob-cap" cx="50" cy="50" r="30" />
        <line class="knob-pointer" {...radius(at, 15, 26)} />
        {reading !== null && <circle class="knob-reading" {...spot(toFraction(scale, reading), 40)} r="3.6" />}
      </svg>
    </div>
  );
}

function Ticks() {
  return (
    <g class="knob-ticks">
      {Array.from({ length: 11 }, (_, index) => (
        <line key={index} {...radius(index / 10, 46, 49)} />
      ))}
    </g>
  );
}

/** Pointer and keyboard handlers. The drag keeps its own unsnapped fraction, so that slow drags add up. */
function useTurning({ scale, limit, step, value, disabled, onTurn, onHold }: Props) {
  const drag = useRef<{ id: number; x: number; y: number; fraction: number } | null>(null);
  const finish = (event: PointerEvent) => {
    if (drag.current?.id !== event.pointerId) return;
    drag.current = null;
    onHold(false);
  };
  return {
    onPointerDown: (event: PointerEvent & { currentTarget: HTMLElement }) => {
      if (disabled || event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      event.currentTarget.focus();
      event.preventDefault();
      drag.current = { id: event.pointerId, x: event.clientX, y: event.clientY, fraction: toFraction(scale, value) };
      onHold(true);
    },
    onPointerMove: (event: PointerEvent) => {
      const { current } = drag;
      if (current?.id !== event.pointerId || disabled) return;
      const travelled = event.clientX - current.x - (event.clientY - current.y);
      const fine = event.shiftKey ? 5 : 1;
      const fraction = Math.min(1, Math.max(0, current.fraction + travelled / TRAVEL_PX / fine));
      drag.current = { id: current.id, x: event.clientX, y: event.clientY, fraction };
      const next = snapped(fromFraction(scale, fraction), limit, step);
      if (next !== value) onTurn(next);
    },
    onPointerUp: finish,
    onPointerCancel: finish,
    onKeyDown: (event: KeyboardEvent) => {
      const next = disabled ? null : keyed(event.key, value, limit, step, scale);
      if (next === null) return;
      event.preventDefault();
      if (next !== value) onTurn(next);
    },
  };
}

/** Where a key takes the value, after the slider pattern of the ARIA practices. */
function keyed(key: string, value: number, limit: Limit, step: number, scale: Scale): number | null {
  const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[key];
  if (steps !== undefined) return nudged(value, steps, limit, step);
  if (key === "Home") return scale.low;
  return key === "End" ? scale.high : null;
}

function angle(fraction: number): number {
  return ((fraction * SWEEP_DEG - SWEEP_DEG / 2 - 90) * Math.PI) / 180;
}

function point(fraction: number, r: number): [number, number] {
  return [50 + r * Math.cos(angle(fraction)), 50 + r * Math.sin(angle(fraction))];
}

function spot(fraction: number, r: number): { cx: number; cy: number } {
  const [cx, cy] = point(fraction, r);
  return { cx, cy };
}

function radius(fraction: number, from: number, to: number): { x1: number; y1: number; x2: number; y2: number } {
  const [x1, y1] = point(fraction, from);
  const [x2, y2] = point(fraction, to);
  return { x1, y1, x2, y2 };
}

function arc(from: number, to: number, r: number): string {
  const [x1, y1] = point(from, r);
  const [x2, y2] = point(to, r);
  const large = (to - from) * SWEEP_DEG > 180 ? 1 : 0;
  return `M${x1.toFixed(2)} ${y1.toFixed(2)}A${r} ${r} 0 ${large} 1 ${x2.toFixed(2)} ${y2.toFixed(2)}`;
}
