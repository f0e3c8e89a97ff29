/** The log: who asked what, and its one outcome; each command opens to its latency ledger. */

import { useState } from "preact/hooks";
import type { Bench } from "../state/bench";
import { waterfall } from "../state/ledger";
import { isFailure, type LogEntry, type Phase } from "../state/log";
import { useConsole, useLanguage } from "./context";
import { Icon, type IconName } from "./icons";
import { Waterfall } from "./latency";
import { actionText, argsText, deviceText, failureText, whoText } from "./words";

const FILTERS = ["all", "mine", "failed"] as const;
type Filter = (typeof FILTERS)[number];

const ICONS: Readonly<Record<Phase, IconName>> = {
  sent: "arrow",
  admitted: "clock",
  refused: "cross",
  done: "check",
  failed: "warning",
  expired: "clock",
  cancelled: "bar",
  unknown: "question",
};

/** At most this many lines are drawn; the newest come first. */
const SHOWN = 100;

export function LogPanel({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const log = useConsole((state) => state.log);
  const [filter, setFilter] = useState<Filter>("all");
  const [opened, setOpened] = useState<string | null>(null);
  const lines = log
    .filter((entry) => matches(entry, filter))
    .slice(-SHOWN)
    .reverse();
  return (
    <section class="card log" aria-labelledby="log-title">
      <header class="card-head">
        <h2 id="log-title">{t("log.title")}</h2>
        {log.length > 0 && (
          <div class="segmented" role="group" aria-label={t("log.filter")}>
            {FILTERS.map((name) => (
              <button key={name} type="button" aria-pressed={filter === name} onClick={() => setFilter(name)}>
                {t(`log.${name}`)}
              </button>
            ))}
          </div>
        )}
      </header>
      {lines.length === 0 ? (
        <div class="empty">
          <p>{t(log.length === 0 ? "log.empty" : "log.none_match")}</p>
          {log.length === 0 && <p class="quiet">{t("log.empty.detail")}</p>}
        </div>
      ) : (
        <ol class="log-lines" tabIndex={0} aria-labelledby="log-title">
          {lines.map((entry) => (
            <Line
              key={entry.key}
              entry={entry}
              bench={bench}
              open={opened === entry.key}
              toggle={() => setOpened(opened === entry.key ? null : entry.key)}
            />
          ))}
        </ol>
      )}
    </section>
  );
}

function matches(entry: LogEntry, filter: Filter): boolean {
  if (filter === "mine") return entry.own;
  return filter === "all" || isFailure(entry);
}

interface LineProps {
  entry: LogEntry;
  bench: Bench;
  open: boolean;
  toggle: () => void;
}

function Line({ entry, bench, open, toggle }: LineProps) {
  const language = useLanguage();
  const { t } = language;
  const me = useConsole((state) => state.me);
  const ledger =
    entry.ledger !== null && entry.receivedMs !== null ? { of: entry.ledger, atMs: entry.receivedMs } : null;
  const expandable = entry.kind === "command" && ledger !== null;
  const bad = isFailure(entry);
  const interlock = entry.kind === "interlock";
  return (
    <li class="log-line" data-phase={entry.phase} data-kind={entry.kind}>
      <time class="log-time" dateTime={new Date(entry.timeMs).toISOString()}>
        {language.clock(entry.timeMs)}
      </time>
      <span class="log-who">{interlock ? "" : whoText(entry.participant, me, bench, language)}</span>
      <span class="log-what">
        {entry.kind === "command" && <span class="quiet">{deviceText(entry, bench, language)} · </span>}
        {actionText(entry, bench, language)} <strong>{argsText(entry, bench, language)}</strong>
        {entry.folded > 0 && <span class="quiet"> {t("log.folded", { count: entry.folded })}</span>}
        {bad && <span class="log-why">{failureText(entry, bench, language)}</span>}
      </span>
      <span class="log-phase">
        <Icon name={interlock ? "lock" : ICONS[entry.phase]} />
        {t(interlock ? "phase.tripped" : `phase.${entry.phase}`)}
      </span>
      {expandable ? (
        <button
          type="button"
          class="log-latency"
          aria-expanded={open}
          aria-label={latencyLabel(ledger, language)}
          onClick={toggle}
        >
          {language.short(waterfall(ledger.of, ledger.atMs).totalMs)} ms
          <Icon name="chevron" />
        </button>
      ) : (
        <span class="log-latency" />
      )}
      {open && ledger !== null && (
        <div class="log-ledger">
          <Waterfall ledger={ledger.of} receivedMs={ledger.atMs} />
        </div>
      )}
    </li>
  );
}

function latencyLabel(
  ledger: { of: NonNullable<LogEntry["ledger"]>; atMs: number },
  { t, short }: ReturnType<typeof useLanguage>,
): string {
  return `${t("log.details")}: ${short(waterfall(ledger.of, ledger.atMs).totalMs)} ms`;
}
