/** A pressed Stop, until it is answered. Without a connection the wish is kept a while and goes out first thing after. */

import type { Answer, Requests } from "./requests";
import { Store } from "./store";

/** How a pressed Stop stands: on its way, or waiting for the connection to come back. */
export type StopPress = "idle" | "pressed" | "waiting";

/** A Stop that could not be sent within this time is dropped: by then the bench has made itself safe. */
export const STOP_KEPT_MS = 30_000;

export interface StopActs {
  nowMs(): number;
  /** Sends the word; the id of the request, or null without a connection. */
  send(): string | null;
  refused(id: string, answer: Answer & { done: false }): void;
}

export class Stopping {
  readonly press = new Store<StopPress>("idle");
  readonly #requests: Requests;
  readonly #acts: StopActs;
  #pressedMs = -Infinity;

  constructor(requests: Requests, acts: StopActs) {
    this.#requests = requests;
    this.#acts = acts;
  }

  /** Stop the bench now. */
  stop(): void {
    this.#pressedMs = this.#acts.nowMs();
    this.#send();
  }

  /** The connection is usable again: a Stop that waits goes out, unless it is too old. */
  connected(): void {
    if (this.press.value !== "waiting") return;
    if (this.#acts.nowMs() - this.#pressedMs < STOP_KEPT_MS) this.#send();
    else this.press.set("idle");
  }

  #send(): void {
    const id = this.#acts.send();
    this.press.set(id === null ? "waiting" : "pressed");
    if (id !== null) void this.#requests.expect(id).then((answer) => this.#answered(id, answer));
  }

  #answered(id: string, answer: Answer): void {
    const lost = !answer.done && answer.code === "link_lost";
    this.press.set(lost ? "waiting" : "idle");
    if (!answer.done && !lost) this.#acts.refused(id, answer);
  }
}
