/** What fills the page when there is no bench to show: connecting, refused, replaced, expired. */

import type { ComponentChildren } from "preact";
import type { Key } from "../i18n/language";
import { useLab, useLanguage, useNow, useSelect } from "./context";
import { Icon, type IconName } from "./icons";
import { LanguageSwitch } from "./language-switch";

interface PageProps {
  icon: IconName | null;
  title: string;
  detail: string;
  live: "polite" | "assertive";
  children?: ComponentChildren;
}

function WholePage({ icon, title, detail, live, children }: PageProps) {
  return (
    <div class="whole-page">
      <header class="whole-page-head">
        <span class="brand-mark" lang="zh-CN" aria-hidden="true">
          同课
        </span>
        <LanguageSwitch />
      </header>
      <main class="whole-page-card" aria-live={live}>
        {icon === null ? (
          <span class="spinner" aria-hidden="true" />
        ) : (
          <span class="whole-page-icon">
            <Icon name={icon} />
          </span>
        )}
        <h1>{title}</h1>
        <p>{detail}</p>
        <div class="whole-page-acts">{children}</div>
      </main>
    </div>
  );
}

export function Connecting() {
  const { t } = useLanguage();
  const lab = useLab();
  const link = useSelect(lab.link, (status) => status);
  useNow(500);
  if (link.kind !== "waiting") {
    return <WholePage icon={null} title={t("link.connecting")} detail={t("link.connecting.detail")} live="polite" />;
  }
  const seconds = Math.max(1, Math.ceil((link.untilMs - lab.localMs()) / 1000));
  return (
    <WholePage icon="link" title={t("link.lost")} detail={t("link.retry_in", { seconds })} live="polite">
      <button type="button" class="button button-primary" onClick={() => lab.open()}>
        {t("link.retry")}
      </button>
    </WholePage>
  );
}

const ICONS: Readonly<Record<string, IconName>> = {
  token_expired: "clock",
  replaced: "people",
  not_found: "question",
  version_unsupported: "warning",
};

interface RefusedProps {
  code: string;
  text: string;
  bench: string;
}

/** Why the bench does not open, and what to do about it. */
export function Refused({ code, text, bench }: RefusedProps) {
  const { t, maybe } = useLanguage();
  const title = maybe(`refused.${code}`) ?? t("refused.other");
  const detail = maybe(`refused.${code}.do`, { bench }) ?? text;
  return (
    <WholePage icon={ICONS[code] ?? "lock"} title={title} detail={detail} live="assertive">
      {(code === "replaced" || code === "version_unsupported") && (
        <button type="button" class="button button-primary" onClick={() => location.reload()}>
          {t((code === "replaced" ? "refused.use_here" : "refused.reload") satisfies Key)}
        </button>
      )}
      <a class="button" href="/">
        {t("refused.start")}
      </a>
    </WholePage>
  );
}
