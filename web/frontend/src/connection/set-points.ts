/** Knobs and sliders: many wanted values a second become few commands, and the last one always goes out. */

import type { Args } from "../wire/messages";
import type { Timer } from "./ports";

/** At most 30 set-points a second and target. */
export const SET_POINT_EVERY_MS = 1000 / 30;

/** So often a refused value of one knob is sent again before that is left to its user. */
export const MOST_ATTEMPTS = 3;

interface Target {
  sentMs: number;
  attempts: number;
  waiting: Args | null;
  sent: Args | null;
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
      target = { sentMs: -Infinity, attempts: 0, waiting: null, sent: null, callOff: null };
      this.#targets.set(name, target);
    }
    target.waiting = args;
    target.attempts = 0;
    if (target.callOff !== null) return;
    const waitMs = target.sentMs + SET_POINT_EVERY_MS - this.#timer.nowMs();
    if (waitMs <= 0) this.#flush(name, target);
    else target.callOff = this.#timer.after(waitMs, () => this.#flush(name, target));
  }

  /**
   * A sent value was refused for the moment: send it again after a while, unless a newer one waits or it has been tried
   * often enough. Returns whether the knob's value is still on its way.
   */
  again(name: string, args: Args, afterMs: number): boolean {
    const target = this.#targets.get(name);
    if (target === undefined) return false;
    if (target.callOff !== null || target.sent !== args) return true;
    target.attempts += 1;
    if (target.attempts > MOST_ATTEMPTS) return false;
    target.waiting = args;
    target.callOff = this.#timer.after(Math.max(afterMs, SET_POINT_EVERY_MS), () => this.#flush(name, target));
    return true;
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
    target.sent = args;
    target.sentMs = this.#timer.nowMs();
    this.#send(name, args);
  }
}
