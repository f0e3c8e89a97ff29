/** What every view can reach: the visit to the bench and the language, and hooks that watch them. */

import { createContext } from "preact";
import { useContext, useEffect, useReducer, useRef } from "preact/hooks";
import type { Language, LanguageCode } from "../i18n/language";
import type { Lab } from "../lab";
import type { Viewer } from "../state/access";
import type { ConsoleState } from "../state/console";
import type { Store } from "../store";

export interface Surroundings {
  readonly lab: Lab;
  readonly language: Language;
  readonly speak: (code: LanguageCode) => void;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

function useSurroundings(): Surroundings {
  const surroundings = useContext(SurroundingsContext);
  if (surroundings === null) throw new Error("a view outside of the console");
  return surroundings;
}

export function useLab(): Lab {
  return useSurroundings().lab;
}

export function useLanguage(): Language {
  return useSurroundings().language;
}

export function useSpeak(): (code: LanguageCode) => void {
  return useSurroundings().speak;
}

/** A part of a store's value; the view is drawn again only when that part changes. */
export function useSelect<S, T>(store: Store<S>, select: (value: S) => T): T {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const selected = select(store.value);
  const latest = useRef({ select, selected });
  latest.current = { select, selected };
  useEffect(() => {
    const check = () => {
      if (!Object.is(latest.current.select(store.value), latest.current.selected)) draw(null);
    };
    check();
    return store.subscribe(check);
  }, [store]);
  return selected;
}

export function useConsole<T>(select: (state: ConsoleState) => T): T {
  return useSelect(useLab().state, select);
}

/** Draws the view again every so often, and returns the server's time (or the local one before it is known). */
export function useNow(everyMs: number): number {
  const lab = useLab();
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const handle = setInterval(() => draw(null), everyMs);
    return () => clearInterval(handle);
  }, [everyMs]);
  return lab.serverMs() ?? Date.now();
}

/** Who looks at the bench, and whether he can act at present. */
export function useViewer(): Viewer {
  const lab = useLab();
  const open = useSelect(lab.link, (link) => link.kind === "open");
  const me = useConsole((state) => state.me);
  const measured = useConsole((state) => state.roundTrip.recentMs.length > 0);
  return { me, ready: open && measured };
}

/** Whether the round trip is too long to steer by hand. */
export function useSupervisory(): boolean {
  return useConsole((state) => state.roundTrip.supervisory);
}
