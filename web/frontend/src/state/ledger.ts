/** The latency ledger as a waterfall: seven stamps, six stretches, each with a name. */

import type { Ledger } from "../wire/messages";

export const STAGES = ["uplink", "gateway", "queue", "instrument", "return", "downlink"] as const;
export type Stage = (typeof STAGES)[number];

export interface Stretch {
  readonly stage: Stage;
  readonly startMs: number;
  readonly lengthMs: number;
}

export interface Waterfall {
  readonly totalMs: number;
  /** In order; stages that were never reached are missing. Starts count from the moment of sending. */
  readonly stretches: readonly Stretch[];
}

/** The stretches of a ledger. Clocks are compared by ping, so a stretch may come out a little negative: it counts as zero. */
export function waterfall(ledger: Ledger, receivedMs: number): Waterfall {
  const stamps = [
    ledger.gateway_received_ms,
    ledger.agent_received_ms,
    ledger.first_byte_ms,
    ledger.last_byte_ms,
    ledger.gateway_replied_ms,
    receivedMs,
  ];
  const stretches: Stretch[] = [];
  let reachedMs = ledger.sent_ms;
  stamps.forEach((stampMs, index) => {
    const stage = STAGES[index];
    if (stampMs === null || stage === undefined) return;
    const endMs = Math.max(reachedMs, stampMs);
    stretches.push({ stage, startMs: reachedMs - ledger.sent_ms, lengthMs: endMs - reachedMs });
    reachedMs = endMs;
  });
  return { totalMs: reachedMs - ledger.sent_ms, stretches };
}
