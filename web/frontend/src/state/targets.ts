/** How one control stands, read from the log: what is still on its way, what went wrong last, what a query answered. */

import type { Args, Ledger } from "../wire/messages";
import type { Value } from "../wire/read";
import { isFailure, isOpen, type Log, type LogEntry } from "./log";

export interface TargetStatus {
  /** How many of our commands have no outcome yet. */
  readonly pending: number;
  /** The arguments of the newest one of these. */
  readonly wanted: Args | null;
  /** The last command, when it went wrong. */
  readonly failure: LogEntry | null;
  /** The last value that one brought back. */
  readonly result: { readonly value: Value; readonly timeMs: number } | null;
}

const IDLE: TargetStatus = { pending: 0, wanted: null, failure: null, result: null };

export function targetStatus(log: Log, device: string, action: string): TargetStatus {
  let { pending, wanted, failure, result } = IDLE;
  let ended = false;
  for (let index = log.length - 1; index >= 0; index -= 1) {
    const entry = log[index];
    if (entry?.own !== true || entry.device !== device || entry.action !== action) continue;
    if (isOpen(entry)) {
      pending += 1;
      wanted ??= entry.args;
    } else if (!ended) {
      ended = true;
      failure = isFailure(entry) ? entry : null;
    }
    if (result === null && entry.phase === "done" && entry.value !== null) {
      result = { value: entry.value, timeMs: entry.receivedMs ?? entry.timeMs };
    }
    if (ended && result !== null) break;
  }
  return { pending, wanted, failure, result };
}

/** The newest command of ours that has a complete ledger, for the header's latency panel. */
export function newestTimed(log: Log): { ledger: Ledger; receivedMs: number } | null {
  const entry = log.findLast(({ own, ledger }) => own && ledger !== null && ledger.first_byte_ms !== null);
  if (entry === undefined || entry.ledger === null || entry.receivedMs === null) return null;
  return { ledger: entry.ledger, receivedMs: entry.receivedMs };
}
