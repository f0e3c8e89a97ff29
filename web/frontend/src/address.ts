/** What the address and the browser's storage say: which bench, with which token, in which language. */

import { chosenLanguage, type LanguageCode } from "./i18n/language";

const LANGUAGE_KEY = "tongke.language";

/** The bench of a path like /lab/lamp; empty when there is none. */
export function benchOfPath(path: string): string {
  const match = /^\/lab\/([^/]+)\/?$/.exec(path);
  return match?.[1] === undefined ? "" : decodeURIComponent(match[1]);
}

/** The address of a bench's socket, on the server that the page came from. */
export function socketAddress(origin: string, bench: string): string {
  return `${origin.replace(/^http/, "ws")}/lab/${encodeURIComponent(bench)}/socket`;
}

/**
 * The token of this visit: from the address (`#token=…`), and from then on kept for this tab only. It is taken out of the
 * address, so that it ends neither in bookmarks nor on screenshots.
 */
export function takeToken(bench: string, place: Location, history: History, storage: Storage): string {
  const key = `tongke.token.${bench}`;
  const token = new URLSearchParams(place.hash.slice(1)).get("token");
  if (token === null || token === "") return storage.getItem(key) ?? "";
  storage.setItem(key, token);
  history.replaceState(history.state, "", place.pathname + place.search);
  return token;
}

export function firstLanguage(): LanguageCode {
  return chosenLanguage(location.search, localStorage.getItem(LANGUAGE_KEY), navigator.languages);
}

export function rememberLanguage(code: LanguageCode): void {
  localStorage.setItem(LANGUAGE_KEY, code);
}
