/** Failures pop up, and what matters is read out: outcomes politely, stops and refusals at once. */

import { useEffect } from "preact/hooks";
import type { Notice } from "../state/console";
import { nameOf } from "../state/bench";
import { useConsole, useLab, useLanguage, useSelect } from "./context";
import { Icon } from "./icons";
import { actionText, argsText, errorText, failureText } from "./words";

const SHOWN_MS = 8_000;

export function Notices() {
  const notices = useConsole((state) => state.notices);
  return (
    <div class="notices" role="alert">
      {notices.map((notice) => (
        <NoticeCard key={notice.key} notice={notice} />
      ))}
    </div>
  );
}

function NoticeCard({ notice }: { notice: Notice }) {
  const language = useLanguage();
  const lab = useLab();
  const bench = useConsole((state) => state.bench);
  const { key, entry } = notice;
  useEffect(() => {
    const handle = setTimeout(() => lab.dismiss(key), SHOWN_MS);
    return () => clearTimeout(handle);
  }, [lab, key]);
  const title =
    entry === null
      ? language.t("notice.request")
      : entry.kind === "interlock"
        ? language.t("log.interlock")
        : language.t("notice.failed", { what: actionText(entry, bench, language) });
  const text = entry === null ? errorText(notice.code, notice.text, language) : failureText(entry, bench, language);
  return (
    <div class="notice">
      <Icon name="warning" />
      <div>
        <p class="notice-title">{title}</p>
        <p>{text}</p>
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label={language.t("notice.dismiss")}
        onClick={() => lab.dismiss(key)}
      >
        <Icon name="cross" />
      </button>
    </div>
  );
}

/** For screen readers: the latest outcome of ours, who has control, and whether the bench is stopped. */
export function Announcements() {
  const language = useLanguage();
  const { t } = language;
  const lab = useLab();
  const bench = useConsole((state) => state.bench);
  const last = useConsole((state) => state.log.findLast(({ own, phase }) => own && phase === "done") ?? null);
  const link = useSelect(lab.link, (status) => status.kind);
  const outcome =
    last === null ? "" : `${actionText(last, bench, language)} ${argsText(last, bench, language)}: ${t("phase.done")}`;
  const changed =
    bench === null ? null : language.maybe(`control.reason.${bench.leaseReason}`, { name: bench.lease?.name ?? "" });
  const stopped = bench?.stopped;
  const stop = stopped
    ? `${t("stop.stopped")}. ${stopped.by === null ? "" : t("stop.by", { name: nameOf(bench, stopped.by) })}`
    : "";
  return (
    <div class="visually-hidden">
      <p role="status">{outcome}</p>
      <p role="status">{changed}</p>
      <p role="status">{link === "waiting" ? t("link.lost") : ""}</p>
      <p role="alert">{stop}</p>
    </div>
  );
}
