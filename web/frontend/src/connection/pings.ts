/** Ping exchanges: a few at once after Welcome, then one every two seconds, for the clock and for signs of life. */

import type { ClockFollower } from "./clock";
import type { Timer } from "./ports";

export const QUICK_EXCHANGES = 5;
export const PING_EVERY_MS = 2_000;
/** An unanswered ping this old means that the connection is dead, whatever the socket says. */
export const DEAD_AFTER_MS = 8_000;

export interface PingActs {
  send(sentMs: number): void;
  /** A Pong came: the clock is set, the round trip is known. */
  measured(): void;
  dead(): void;
}

export class Pinger {
  readonly #timer: Timer;
  readonly #clock: ClockFollower;
  readonly #acts: PingActs;
  #everyMs = PING_EVERY_MS;
  #quickLeft = 0;
  #waitingSinceMs: number | null = null;
  #lastMs = 0;
  #callOff: (() => void) | null = null;

  constructor(timer: Timer, clock: ClockFollower, acts: PingActs) {
    this.#timer = timer;
    this.#clock = clock;
    this.#acts = acts;
  }

  /** Begin on a fresh socket; the server wants a sign of life every `silenceMs`. */
  start(silenceMs: number): void {
    this.stop();
    this.#everyMs = Math.min(PING_EVERY_MS, silenceMs / 2);
    this.#quickLeft = QUICK_EXCHANGES - 1;
    this.#ping();
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = null;
    this.#waitingSinceMs = null;
  }

  /** Any frame arrived. Timers of hidden pages run late; arriving frames keep the pings going there. */
  heard(): void {
    if (this.#callOff !== null && this.#timer.nowMs() - this.#lastMs > this.#everyMs) this.#tick();
  }

  answered(pong: { sent_ms: number; received_ms: number; replied_ms: number }): void {
    this.#clock.observe({
      sentMs: pong.sent_ms,
      receivedMs: pong.received_ms,
      repliedMs: pong.replied_ms,
      backMs: this.#timer.nowMs(),
    });
    this.#waitingSinceMs = null;
    this.#acts.measured();
    if (this.#quickLeft > 0) {
      this.#quickLeft -= 1;
      this.#ping();
    }
  }

  #tick(): void {
    const nowMs = this.#timer.nowMs();
    if (this.#waitingSinceMs !== null && nowMs - this.#waitingSinceMs > DEAD_AFTER_MS) {
      this.stop();
      this.#acts.dead();
      return;
    }
    this.#ping();
  }

  #ping(): void {
    const nowMs = this.#timer.nowMs();
    this.#lastMs = nowMs;
    this.#waitingSinceMs ??= nowMs;
    this.#callOff?.();
    this.#callOff = this.#timer.after(this.#everyMs, () => this.#tick());
    this.#acts.send(nowMs);
  }
}
