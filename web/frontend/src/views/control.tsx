/** Control of the bench: who has it and for how long; take, extend, hand over, release, take away. */

import { holdsControl, mayControl, maySupervise } from "../state/access";
import type { Bench } from "../state/bench";
import { minutes } from "../i18n/language";
import { useConsole, useLab, useLanguage, useNow, useSelect, useViewer } from "./context";
import { Disclosure } from "./disclosure";
import { Icon } from "./icons";

/** From here on the end of control is announced. */
export const WARN_MS = 60_000;

export function Control({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const me = useConsole((state) => state.me);
  const mine = holdsControl(bench, me);
  return (
    <section class="control" aria-label={t("control.title")} data-mine={mine}>
      <Holder bench={bench} mine={mine} />
      <div class="control-acts">{mine ? <HolderActs bench={bench} /> : <OthersActs bench={bench} />}</div>
    </section>
  );
}

function Holder({ bench, mine }: { bench: Bench; mine: boolean }) {
  const { t } = useLanguage();
  const { lease } = bench;
  if (lease === null) {
    return (
      <p class="holder">
        <Icon name="hand" />
        <span>{t("control.free")}</span>
      </p>
    );
  }
  const words = mine ? t("control.yours") : t(lease.away ? "control.away" : "control.held", { name: lease.name });
  return (
    <p class="holder">
      <Icon name={mine ? "hand" : "eye"} />
      <span class="holder-name">{words}</span>
      <TimeLeft untilMs={lease.expires_ms} />
    </p>
  );
}

function TimeLeft({ untilMs }: { untilMs: number }) {
  const { t } = useLanguage();
  const leftMs = untilMs - useNow(500);
  return (
    <span class="time-left" data-soon={leftMs < WARN_MS} role="timer" aria-label={t("control.left.label")}>
      {minutes(leftMs)}
    </span>
  );
}

function HolderActs({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const { ready } = useViewer();
  const errands = useSelect(lab.errands.running, (running) => running);
  return (
    <>
      <button
        type="button"
        class="button"
        disabled={!ready || errands.has("renew")}
        onClick={() => void lab.errands.renew()}
      >
        {t("control.extend")}
      </button>
      <HandOver bench={bench} />
      <button
        type="button"
        class="button"
        disabled={!ready || errands.has("release")}
        onClick={() => void lab.errands.release()}
      >
        {t("control.release")}
      </button>
    </>
  );
}

function HandOver({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const { me, ready } = useViewer();
  const others = bench.participants.filter(({ id, connected, may_control }) => id !== me && connected && may_control);
  return (
    <Disclosure label={t("control.hand_over")} title={t("control.hand_over")} class="hand-over">
      {(close) =>
        others.length === 0 ? (
          <p class="quiet">{t("control.hand_over_nobody")}</p>
        ) : (
          <>
            <h2>{t("control.hand_over_to")}</h2>
            <ul class="choices">
              {others.map((person) => (
                <li key={person.id}>
                  <button
                    type="button"
                    class="button"
                    disabled={!ready}
                    onClick={() => {
                      close();
                      void lab.errands.transfer(person.id);
                    }}
                  >
                    {person.name}
                  </button>
                </li>
              ))}
            </ul>
          </>
        )
      }
    </Disclosure>
  );
}

function OthersActs({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const lab = useLab();
  const { ready } = useViewer();
  const errands = useSelect(lab.errands.running, (running) => running);
  if (bench.lease !== null) {
    if (!maySupervise(bench)) return null;
    return (
      <button
        type="button"
        class="button"
        disabled={!ready || errands.has("revoke")}
        onClick={() => void lab.errands.revoke()}
      >
        {t("control.revoke")}
      </button>
    );
  }
  if (!mayControl(bench)) return null;
  const taking = errands.has("acquire");
  return (
    <button
      type="button"
      class="button button-primary"
      disabled={!ready || taking || bench.state !== "online"}
      onClick={() => void lab.errands.acquire()}
    >
      {t(taking ? "control.taking" : "control.take")}
    </button>
  );
}
