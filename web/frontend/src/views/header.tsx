/** The header: which bench, how it stands, who has control for how long, who is here, how far away it is. */

import { benchReason, holdsControl } from "../state/access";
import type { Bench } from "../state/bench";
import { useConsole, useLanguage, useNow, useSelect, useLab, useViewer } from "./context";
import { Control } from "./control";
import { Disclosure } from "./disclosure";
import { Icon } from "./icons";
import { LanguageSwitch } from "./language-switch";
import { Latency } from "./latency";

export function Header({ bench }: { bench: Bench }) {
  const language = useLanguage();
  const title = bench.description === null ? bench.name : language.text(bench.description.title);
  return (
    <header class="header">
      <div class="brand">
        <span class="brand-mark" aria-hidden="true">
          同课
        </span>
        <div class="brand-text">
          <h1>{title}</h1>
          <BenchState bench={bench} />
        </div>
      </div>
      <Control bench={bench} />
      <div class="header-tools">
        <People bench={bench} />
        <Latency />
        <LanguageSwitch />
      </div>
    </header>
  );
}

function BenchState({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const open = useSelect(useLab().link, (link) => link.kind === "open");
  const state = open ? bench.state : "connecting";
  return (
    <p class="bench-state" data-state={state}>
      <span class="dot" aria-hidden="true" />
      {open ? t(`state.${bench.state}`) : t("link.reconnecting")}
      <LinkEnd untilMs={bench.untilMs} />
    </p>
  );
}

/** When the link itself ends: shown when that is within the hour. */
function LinkEnd({ untilMs }: { untilMs: number }) {
  const { t, clock } = useLanguage();
  const leftMs = untilMs - useNow(10_000);
  if (leftMs > 3_600_000 || leftMs < 0) return null;
  return <span class="link-end">{t("session.left", { time: clock(untilMs).slice(0, 5) })}</span>;
}

function People({ bench }: { bench: Bench }) {
  const { t } = useLanguage();
  const me = useConsole((state) => state.me);
  const connected = bench.participants.filter((person) => person.connected).length;
  const viewer = useViewer();
  const label = (
    <>
      <Icon name={benchReason(bench, viewer)?.kind === "observer" ? "eye" : "people"} />
      <span class="wide-only">{t("people.here", { count: connected })}</span>
      <span class="narrow-only" aria-hidden="true">
        {connected}
      </span>
    </>
  );
  return (
    <Disclosure label={label} title={t("people.title")}>
      {() => (
        <>
          <h2>{t("people.title")}</h2>
          <ul class="people">
            {bench.participants.map((person) => (
              <li key={person.id} data-away={!person.connected}>
                <span class="people-name">
                  {person.name}
                  {person.id === me && <em> ({t("people.you")})</em>}
                </span>
                <span class="people-role">
                  {!person.connected
                    ? t("people.away")
                    : holdsControl(bench, person.id)
                      ? t("people.controller")
                      : t(person.may_control ? "people.may_control" : "people.observer")}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Disclosure>
  );
}
