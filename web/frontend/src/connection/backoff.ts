/** How long to wait before dialling again: exponential with jitter, the twin of `signaling/backoff.py`. */

export interface BackoffSettings {
  firstMs: number;
  mostMs: number;
  factor: number;
}

export const DEFAULT_BACKOFF: BackoffSettings = { firstMs: 250, mostMs: 15_000, factor: 2 };

export class Backoff {
  readonly #uniform: () => number;
  readonly #settings: BackoffSettings;
  #ceilingMs: number;

  /** `uniform` draws from [0, 1). */
  constructor(uniform: () => number, settings: BackoffSettings = DEFAULT_BACKOFF) {
    this.#uniform = uniform;
    this.#settings = settings;
    this.#ceilingMs = settings.firstMs;
  }

  /** The connection held: the next failure waits briefly again. */
  succeeded(): void {
    this.#ceilingMs = this.#settings.firstMs;
  }

  /** How long to wait now; never less than half of the ceiling nor than what the server asked for. */
  nextMs(atLeastMs = 0): number {
    const ceilingMs = this.#ceilingMs;
    this.#ceilingMs = Math.min(this.#settings.mostMs, ceilingMs * this.#settings.factor);
    return Math.max(atLeastMs, ceilingMs * (0.5 + 0.5 * this.#uniform()));
  }
}
