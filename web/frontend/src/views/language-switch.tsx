/** EN / 中文. Each language names itself. */

import type { LanguageCode } from "../i18n/language";
import { useLanguage, useSpeak } from "./context";

const NAMES: readonly (readonly [LanguageCode, string, string])[] = [
  ["en", "EN", "English"],
  ["zh", "中文", "中文"],
];

export function LanguageSwitch() {
  const language = useLanguage();
  return <LanguageButtons current={language.code} label={language.t("app.language")} speak={useSpeak()} />;
}

interface Props {
  current: LanguageCode;
  label: string;
  speak: (code: LanguageCode) => void;
}

export function LanguageButtons({ current, label, speak }: Props) {
  return (
    <div class="segmented language" role="group" aria-label={label}>
      {NAMES.map(([code, shown, name]) => (
        <button
          key={code}
          type="button"
          lang={code === "zh" ? "zh-CN" : "en"}
          aria-pressed={current === code}
          title={name}
          onClick={() => speak(code)}
        >
          {shown}
        </button>
      ))}
    </div>
  );
}
