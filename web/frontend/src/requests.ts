/** Requests that are not commands: each is answered by RequestDone or RequestRefused, or lost with the connection. */

import type { FromGateway } from "./wire/messages";

export type Answer =
  | { readonly done: true }
  | { readonly done: false; readonly code: string; readonly text: string; readonly retryAfterMs: number | null };

export const LOST: Answer & { done: false } = { done: false, code: "link_lost", text: "", retryAfterMs: null };

export class Requests {
  readonly #waiting = new Map<string, (answer: Answer) => void>();

  /** The answer to the request of this id, when it comes. */
  expect(id: string): Promise<Answer> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** Take a message; true when it answered one of the requests. */
  take(message: FromGateway): boolean {
    if (message.type === "RequestDone") return this.#settle(message.id, { done: true });
    // A stop is answered by its own word.
    if (message.type === "StopFinished") return this.#settle(message.id, { done: true });
    if (message.type !== "RequestRefused") return false;
    const { id, code, text, retry_after_ms: retryAfterMs } = message;
    return this.#settle(id, { done: false, code, text, retryAfterMs });
  }

  /** The connection is gone: nobody will answer. */
  abandon(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, LOST);
  }

  #settle(id: string, answer: Answer): boolean {
    const resolve = this.#waiting.get(id);
    if (resolve === undefined) return false;
    this.#waiting.delete(id);
    resolve(answer);
    return true;
  }
}
