/** The round trip in the header, and the latency ledger as a waterfall. */

import { waterfall } from "../state/ledger";
import { typicalMs } from "../state/round-trip";
import { newestTimed } from "../state/targets";
import type { Ledger } from "../wire/messages";
import { useConsole, useLab, useLanguage, useSelect } from "./context";
import { Disclosure } from "./disclosure";

export function Latency() {
  const { t, short } = useLanguage();
  const open = useSelect(useLab().link, (link) => link.kind === "open");
  const typical = useConsole((state) => typicalMs(state.roundTrip));
  const roundTripMs = open ? typical : null;
  const label = (
    <>
      <span class="visually-hidden">{t("latency.round_trip")} </span>
      <Signal ms={roundTripMs} />
      <span class="round-trip">
        {roundTripMs !== null ? `${short(roundTripMs)} ms` : open ? t("latency.unknown") : "–"}
      </span>
    </>
  );
  return (
    <Disclosure label={label} title={t("latency.round_trip")} class="latency">
      {() => <LatencyPanel />}
    </Disclosure>
  );
}

/** Three bars: how good the line is, said by height as well as by colour. */
function Signal({ ms }: { ms: number | null }) {
  const bars = ms === null ? 0 : ms <= 100 ? 3 : ms <= 300 ? 2 : 1;
  return (
    <svg class="signal" viewBox="0 0 16 16" aria-hidden="true" data-bars={bars}>
      {[0, 1, 2].map((index) => (
        <rect
          key={index}
          x={2 + index * 4.5}
          y={10 - index * 4}
          width="3"
          height={4 + index * 4}
          rx="1"
          data-lit={index < bars}
        />
      ))}
    </svg>
  );
}

function LatencyPanel() {
  const { t, short } = useLanguage();
  const lab = useLab();
  const newest = useConsole((state) => state.log);
  const timed = newestTimed(newest);
  const errorMs = lab.clockErrorMs();
  return (
    <>
      <h2>{t("latency.title")}</h2>
      {timed === null ? (
        <p class="quiet">{t("latency.none")}</p>
      ) : (
        <>
          <p class="quiet">{t("latency.last", { ms: short(waterfall(timed.ledger, timed.receivedMs).totalMs) })}</p>
          <Waterfall ledger={timed.ledger} receivedMs={timed.receivedMs} />
        </>
      )}
      {Number.isFinite(errorMs) && <p class="quiet">{t("latency.clock", { ms: short(errorMs) })}</p>}
    </>
  );
}

export function Waterfall({ ledger, receivedMs }: { ledger: Ledger; receivedMs: number }) {
  const { t, short } = useLanguage();
  const { totalMs, stretches } = waterfall(ledger, receivedMs);
  const percent = (ms: number) => (totalMs === 0 ? 0 : (100 * ms) / totalMs);
  return (
    <table class="waterfall">
      <tbody>
        {stretches.map(({ stage, startMs, lengthMs }) => (
          <tr key={stage}>
            <th scope="row">{t(`latency.${stage}`)}</th>
            <td class="waterfall-bar">
              <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                <rect class="waterfall-track" width="100" height="8" />
                <rect
                  class="waterfall-fill"
                  data-stage={stage}
                  x={Math.min(percent(startMs), 99.2)}
                  width={Math.max(percent(lengthMs), 0.8)}
                  height="8"
                />
              </svg>
            </td>
            <td class="waterfall-ms">{short(lengthMs)} ms</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
