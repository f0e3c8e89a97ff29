/** The start page: the demo's benches with a button for each role, or how to get a link. */

import { useEffect, useState } from "preact/hooks";
import { demoBenches, joinBench, ROLES, type DemoBench, type Role } from "../demo";
import { Language, type LanguageCode } from "../i18n/language";
import { Icon, type IconName } from "./icons";
import { LanguageButtons } from "./language-switch";

/** Benches come while one looks: lab PCs connect, people take control. */
const LOOK_EVERY_MS = 3_000;

const ROLE_ICONS: Readonly<Record<Role, IconName>> = { student: "hand", observer: "eye", supervisor: "people" };

interface Props {
  firstLanguage: LanguageCode;
  onSpeak: (code: LanguageCode) => void;
}

export function Start({ firstLanguage, onSpeak }: Props) {
  const [code, setCode] = useState(firstLanguage);
  const language = new Language(code);
  const { t } = language;
  useEffect(() => {
    document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
    document.title = new Language(code).t("app.name");
  }, [code]);
  const speak = (chosen: LanguageCode) => {
    onSpeak(chosen);
    setCode(chosen);
  };
  return (
    <div class="start">
      <header class="start-head">
        <span class="start-brand">
          <span class="brand-mark" lang="zh-CN" aria-hidden="true">
            同课
          </span>
          Tongke
        </span>
        <LanguageButtons current={code} label={t("app.language")} speak={speak} />
      </header>
      <main>
        <div class="start-hero">
          <h1>{t("start.title")}</h1>
          <p>{t("start.lead")}</p>
        </div>
        <Benches language={language} />
      </main>
    </div>
  );
}

type Found =
  { kind: "looking" } | { kind: "failed" } | { kind: "no_demo" } | { kind: "demo"; benches: readonly DemoBench[] };

function useBenches(): Found {
  const [found, setFound] = useState<Found>({ kind: "looking" });
  useEffect(() => {
    let gone = false;
    let handle: ReturnType<typeof setTimeout> | undefined;
    const look = async () => {
      const next = await demoBenches().then(
        (benches): Found => (benches === null ? { kind: "no_demo" } : { kind: "demo", benches }),
        (): Found => ({ kind: "failed" }),
      );
      if (gone) return;
      setFound(next);
      if (next.kind !== "no_demo") handle = setTimeout(() => void look(), LOOK_EVERY_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(handle);
    };
  }, []);
  return found;
}

function Benches({ language }: { language: Language }) {
  const { t } = language;
  const found = useBenches();
  const [name, setName] = useState("");
  const [opening, setOpening] = useState("");
  const [failed, setFailed] = useState(false);
  if (found.kind === "looking") return <p class="quiet">{t("start.loading")}</p>;
  if (found.kind === "failed") return <p class="start-failed">{t("start.failed")}</p>;
  if (found.kind === "no_demo") {
    return (
      <section class="card start-bench">
        <h2>{t("start.no_demo")}</h2>
        <p>{t("start.no_demo.detail")}</p>
      </section>
    );
  }
  const open = async (bench: DemoBench, role: Role) => {
    setOpening(`${bench.name} ${role}`);
    setFailed(false);
    try {
      location.assign(await joinBench(bench.name, role, name.trim() || t(`start.${role}`)));
    } catch {
      setFailed(true);
    }
    setOpening("");
  };
  return (
    <section aria-labelledby="benches-title">
      <h2 id="benches-title">{t("start.benches")}</h2>
      <label class="start-name">
        {t("start.name")}
        <input
          type="text"
          autoComplete="name"
          maxLength={60}
          value={name}
          placeholder={t("start.student")}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {failed && (
        <p class="start-failed" role="alert">
          {t("start.failed")}
        </p>
      )}
      {found.benches.length === 0 && <p class="quiet">{t("start.empty")}</p>}
      <ul class="start-benches">
        {found.benches.map((bench) => (
          <li key={bench.name} class="card start-bench">
            <div>
              <h3>{language.text(bench.title)}</h3>
              <p class="bench-state" data-state={bench.state}>
                <span class="dot" aria-hidden="true" />
                {t(`state.${bench.state}`)}
              </p>
            </div>
            <div class="start-roles" role="group" aria-label={`${language.text(bench.title)}: ${t("start.as")}`}>
              {ROLES.map((role) => (
                <button
                  key={role}
                  type="button"
                  class={role === "student" ? "button button-primary" : "button"}
                  disabled={opening !== ""}
                  onClick={() => void open(bench, role)}
                >
                  <span>
                    <Icon name={ROLE_ICONS[role]} />{" "}
                    {opening === `${bench.name} ${role}` ? t("start.opening") : t(`start.${role}`)}
                  </span>
                  <span>{t(`start.${role}.detail`)}</span>
                </button>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
