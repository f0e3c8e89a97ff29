/** What everybody must know now, above the panel: stopped, connection lost, bench away, supervisory, time running out. */

import type { ComponentChildren } from "preact";
import { holdsControl, mayControl, maySupervise } from "../state/access";
import type { Bench } from "../state/bench";
import { typicalMs } from "../state/round-trip";
import { useConsole, useLab, useLanguage, useNow, useSelect, useSupervisory, useViewer } from "./context";
import { WARN_MS } from "./control";
import { Icon, type IconName } from "./icons";
import { StoppedBanner } from "./stop";

interface BannerProps {
  tone: "info" | "warning";
  icon: IconName;
  title: string;
  detail?: string;
  children?: ComponentChildren;
}

export function Banner({ tone, icon, title, detail, children }: BannerProps) {
  return (
    <div class={`banner banner-${tone}`}>
      <Icon name={icon} />
      <div class="banner-text">
        <p class="banner-title">{title}</p>
        {detail !== undefined && <p>{detail}</p>}
      </div>
      {children}
    </div>
  );
}

export function Banners({ bench }: { bench: Bench }) {
  return (
    <div class="banners">
      <LinkBanner />
      <StopWaitingBanner />
      <StoppedBanner bench={bench} />
      <BenchBanner bench={bench} />
      <SupervisoryBanner />
      <WatchingBanner bench={bench} />
      <EndingBanner bench={bench} />
    </div>
  );
}

function LinkBanner() {
  const { t } = useLanguage();
  const lab = useLab();
  const link = useSelect(lab.link, (status) => status);
  useNow(500);
  if (link.kind === "open" || link.kind === "closed") return null;
  const waiting = link.kind === "waiting";
  const seconds = waiting ? Math.max(1, Math.ceil((link.untilMs - lab.localMs()) / 1000)) : 0;
  const when = waiting ? `${t("link.retry_in", { seconds })} ` : "";
  return (
    <Banner
      tone="warning"
      icon="link"
      title={t(waiting ? "link.lost" : "link.reconnecting")}
      detail={`${when}${t("link.kept")}`}
    >
      {waiting && (
        <button type="button" class="button" onClick={() => lab.open()}>
          {t("link.retry")}
        </button>
      )}
    </Banner>
  );
}

function StopWaitingBanner() {
  const { t } = useLanguage();
  const press = useSelect(useLab().stopping.press, (state) => state);
  if (press !== "waiting") return null;
  return <Banner tone="warning" icon="stop" title={t("stop.waiting")} detail={t("stop.waiting.detail")} />;
}

function BenchBanner({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const { ready } = useViewer();
  const { state } = bench;
  const checking = useSelect(lab.errands.running, (errands) => errands.has("quarantine"));
  if (state === "online" || state === "in_use") return null;
  const icon = { offline: "plug", draining: "clock", quarantined: "warning" } as const;
  return (
    <Banner
      tone={state === "draining" ? "info" : "warning"}
      icon={icon[state]}
      title={t(`bench.${state}`)}
      detail={t(`bench.${state}.detail`)}
    >
      {state === "quarantined" && maySupervise(bench) && (
        <button
          type="button"
          class="button"
          disabled={!ready || checking}
          onClick={() => void lab.errands.releaseQuarantine()}
        >
          {t("bench.quarantined.release")}
        </button>
      )}
    </Banner>
  );
}

function SupervisoryBanner() {
  const { t } = useLanguage();
  const supervisory = useSupervisory();
  const ms = useConsole((state) => typicalMs(state.roundTrip));
  if (!supervisory || ms === null) return null;
  const detail = t("supervisory.detail", { ms: Math.round(ms) });
  return <Banner tone="info" icon="clock" title={t("supervisory.title")} detail={detail} />;
}

function WatchingBanner({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const { me } = useViewer();
  if (holdsControl(bench, me)) return null;
  if (!mayControl(bench)) return <Banner tone="info" icon="eye" title={t("control.observer")} />;
  if (bench.lease === null) return null;
  return <Banner tone="info" icon="eye" title={t("control.watching", { name: bench.lease.name })} />;
}

function EndingBanner({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const { me, ready } = useViewer();
  const nowMs = useNow(1_000);
  const renewing = useSelect(lab.errands.running, (errands) => errands.has("renew"));
  const linkLeftMs = bench.untilMs - nowMs;
  if (linkLeftMs > 0 && linkLeftMs < WARN_MS) {
    return <Banner tone="warning" icon="clock" title={t("session.soon", { seconds: Math.ceil(linkLeftMs / 1000) })} />;
  }
  if (!holdsControl(bench, me) || bench.lease === null) return null;
  const leftMs = bench.lease.expires_ms - nowMs;
  if (leftMs <= 0 || leftMs > WARN_MS) return null;
  return (
    <Banner tone="warning" icon="clock" title={t("control.soon", { seconds: Math.ceil(leftMs / 1000) })}>
      <button type="button" class="button" disabled={!ready || renewing} onClick={() => void lab.errands.renew()}>
        {t("control.extend")}
      </button>
    </Banner>
  );
}
