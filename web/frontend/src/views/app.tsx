/** The root of the lab page: its language and its visit to the bench, handed to everything below. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { Language, type LanguageCode } from "../i18n/language";
import type { Lab } from "../lab";
import { Console } from "./console";
import { SurroundingsContext } from "./context";

interface Props {
  lab: Lab;
  benchName: string;
  firstLanguage: LanguageCode;
  /** Called when another language was chosen, to remember it. */
  onSpeak: (code: LanguageCode) => void;
}

export function App({ lab, benchName, firstLanguage, onSpeak }: Props) {
  const [code, setCode] = useState(firstLanguage);
  const surroundings = useMemo(() => {
    const speak = (chosen: LanguageCode) => {
      onSpeak(chosen);
      setCode(chosen);
    };
    return { lab, language: new Language(code), speak };
  }, [lab, code, onSpeak]);
  useEffect(() => {
    document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  }, [code]);
  return (
    <SurroundingsContext.Provider value={surroundings}>
      <Console benchName={benchName} />
    </SurroundingsContext.Provider>
  );
}
