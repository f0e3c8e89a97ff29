/**
 * Following the server's clock over a link whose delay nobody knows: the twin of `signaling/clock.py`. Each ping exchange
 * gives an offset that is wrong by at most half of its round trip; the best one ages by the drift of two quartz clocks.
 */

/** Two ordinary quartz clocks part by at most this much: 100 parts in a million. */
export const DRIFT_PER_MS = 100e-6;

interface Sample {
  offsetMs: number;
  errorMs: number;
  atMs: number;
}

export interface Exchange {
  /** Sent and back on the local clock, received and replied on the server's. */
  sentMs: number;
  receivedMs: number;
  repliedMs: number;
  backMs: number;
}

export class ClockFollower {
  roundTripMs: number | null = null;
  jumps = 0;
  readonly #keep: number;
  #samples: Sample[] = [];
  #best: Sample | null = null;

  constructor(keep = 16) {
    this.#keep = keep;
  }

  /** Whether there has been an exchange since the start or the last reset. */
  get isSet(): boolean {
    return this.#best !== null;
  }

  /** Forget everything: another server, or the same one after a restart. */
  reset(): void {
    this.#samples = [];
    this.#best = null;
    this.roundTripMs = null;
  }

  /** Take one exchange. One that contradicts the best means that a clock has jumped, and starts the filter anew. */
  observe({ sentMs, receivedMs, repliedMs, backMs }: Exchange): void {
    const roundTripMs = Math.max(0, backMs - sentMs - (repliedMs - receivedMs));
    const sample = {
      offsetMs: (receivedMs - sentMs + (repliedMs - backMs)) / 2,
      errorMs: roundTripMs / 2,
      atMs: backMs,
    };
    this.roundTripMs = roundTripMs;
    const best = this.#best;
    if (best !== null) {
      const apartMs = Math.abs(best.offsetMs - sample.offsetMs);
      if (apartMs > errorAt(best, backMs) + sample.errorMs + 1 || backMs < best.atMs) {
        this.jumps += 1;
        this.#samples = [];
      }
    }
    this.#samples.push(sample);
    if (this.#samples.length > this.#keep) this.#samples.shift();
    this.#best = this.#samples.reduce((kept, next) => (errorAt(next, backMs) < errorAt(kept, backMs) ? next : kept));
  }

  /** How wrong a conversion made at local time `nowMs` may be; infinite before the first exchange. */
  errorMs(nowMs: number): number {
    return this.#best === null ? Infinity : errorAt(this.#best, nowMs);
  }

  /** The server's time at a local time: the best guess, or null before the first exchange. */
  serverMs(localMs: number): number | null {
    return this.#best === null ? null : localMs + this.#best.offsetMs;
  }

  /** The server's time at a local time, never too late: what is stamped on a command. Null before the first exchange. */
  earliestServerMs(localMs: number): number | null {
    return this.#best === null ? null : localMs + this.#best.offsetMs - errorAt(this.#best, localMs);
  }
}

function errorAt(sample: Sample, nowMs: number): number {
  return sample.errorMs + DRIFT_PER_MS * Math.abs(nowMs - sample.atMs);
}
