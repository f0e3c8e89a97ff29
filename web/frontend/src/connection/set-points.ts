/** Knobs and sliders: many wanted values a second become few commands, and the last one always goes out. */

import type { Args } from "../wire/messages";
import type { Timer } from "./ports";

/** At most 30 set-points a second and target. */
export const SET_POINT_EVERY_MS = 1000 / 30;

interface Target {
  sentMs: number;
  waiting: Args | null;
  callOff: (() => void) | null;
}

/** Paces the set-points of each target. `send` is called at once when the last one is long enough ago. */
export class SetPointPacer {
  readonly #timer: Timer;
  readonly #send: (target: string, args: Args) => void;
  readonly #targets = new Map<string, Target>();

  constructor(timer: Timer, send: (target: string, args: Args) => void) {
    this.#timer = timer;
    this.#send = send;
  }

  /** The newest wanted value of a target; an older one that still waits is forgotten. */
  want(name: string, args: Args): void {
    let target = this.#targets.get(name);
    if (target === undefined) {
      target = { sentMs: -Infinity, waiting: null, callOff: null };
      this.#targets.set(name, target);
    }
    target.waiting = args;
    if (target.callOff !== null) return;
    const waitMs = target.sentMs + SET_POINT_EVERY_MS - this.#timer.nowMs();
    if (waitMs <= 0) this.#flush(name, target);
    else target.callOff = this.#timer.after(waitMs, () => this.#flush(name, target));
  }

  /** Forget what waits: the connection, the control or the wish is gone. */
  reset(): void {
    for (const target of this.#targets.values()) target.callOff?.();
    this.#targets.clear();
  }

  #flush(name: string, target: Target): void {
    target.callOff = null;
    const args = target.waiting;
    if (args === null) return;
    target.waiting = null;
    target.sentMs = this.#timer.nowMs();
    this.#send(name, args);
  }
}
