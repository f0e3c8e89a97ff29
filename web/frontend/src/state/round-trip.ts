/** The round trip, and whether it is too long to steer by hand: above 500 ms the page becomes supervisory. */

export const SUPERVISORY_ABOVE_MS = 500;
/** It must get clearly better before knobs come back, so that the page does not flap. */
export const DIRECT_BELOW_MS = 400;
const KEEP = 5;

export interface RoundTrip {
  readonly recentMs: readonly number[];
  readonly supervisory: boolean;
}

export const UNMEASURED: RoundTrip = { recentMs: [], supervisory: false };

export function measured(before: RoundTrip, roundTripMs: number): RoundTrip {
  const recentMs = [...before.recentMs.slice(-(KEEP - 1)), roundTripMs];
  const typicalMs = median(recentMs);
  return { recentMs, supervisory: typicalMs > (before.supervisory ? DIRECT_BELOW_MS : SUPERVISORY_ABOVE_MS) };
}

/** The median of the last few measures; null before the first. */
export function typicalMs(roundTrip: RoundTrip): number | null {
  return roundTrip.recentMs.length === 0 ? null : median(roundTrip.recentMs);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
