/** The lab console: which of its faces is shown, and how the parts of the bench are laid out. */

import { useEffect } from "preact/hooks";
import type { Bench } from "../state/bench";
import { Banners } from "./banners";
import { useConsole, useLab, useLanguage, useSelect } from "./context";
import { DeviceCard } from "./device-card";
import { Header } from "./header";
import { LogPanel } from "./log";
import { Announcements, Notices } from "./notices";
import { Plots } from "./plots/plots";
import { Traces } from "./plots/traces";
import { StopButton } from "./stop";
import { Connecting, Refused } from "./whole-page";

export function Console({ benchName }: { benchName: string }) {
  const lab = useLab();
  const language = useLanguage();
  const bench = useConsole((state) => state.bench);
  const link = useSelect(lab.link, (status) => status);
  const title = bench?.description ? language.text(bench.description.title) : language.t("app.console");
  useEffect(() => {
    document.title = `${title} · ${language.t("app.name")}`;
  }, [title, language]);
  if (link.kind === "closed") return <Refused code={link.code} text={link.text} bench={benchName} />;
  if (bench === null) return <Connecting />;
  return <BenchView bench={bench} />;
}

function BenchView({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const ready = useSelect(useLab().link, (link) => link.kind === "open");
  return (
    <div class="console" data-ready={ready}>
      <a class="skip" href="#instruments">
        {t("app.skip")}
      </a>
      <Header bench={bench} />
      <StopButton bench={bench} />
      <main class="bench">
        <Banners bench={bench} />
        <section class="instruments" id="instruments" aria-label={t("device.instruments")} tabIndex={-1}>
          <Instruments bench={bench} />
        </section>
        <div class="views">
          {bench.description !== null && <Plots bench={bench} />}
          <Traces bench={bench} />
          <LogPanel bench={bench} />
        </div>
      </main>
      <Notices />
      <Announcements />
    </div>
  );
}

function Instruments({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const devices = bench.description?.devices ?? [];
  if (devices.length > 0) {
    return (
      <>
        {devices.map((device) => (
          <DeviceCard key={device.name} bench={bench} device={device} />
        ))}
      </>
    );
  }
  const key = bench.description === null ? "bench.unknown" : "bench.empty";
  return (
    <div class="card empty">
      <p>{t(key)}</p>
      <p class="quiet">{t(`${key}.detail`)}</p>
    </div>
  );
}
