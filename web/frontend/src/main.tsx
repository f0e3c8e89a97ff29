/** Starts the lab page: the only place where its parts meet the browser. */

import { render } from "preact";
import { benchOfPath, firstLanguage, rememberLanguage, socketAddress, takeToken } from "./address";
import { browserTimer, idSource, webSocketDial } from "./connection/browser";
import { Lab } from "./lab";
import { App } from "./views/app";

const root = document.getElementById("app");
if (root === null) throw new Error("lab.html has no #app element");

const bench = benchOfPath(location.pathname);
const token = takeToken(bench, location, history, sessionStorage);
const dial = webSocketDial(socketAddress(location.origin, bench));
const lab = new Lab({ dial, timer: browserTimer, uniform: Math.random, newId: idSource() }, token);

if (token === "") lab.refuse("token_missing");
else lab.open();
addEventListener("online", () => lab.open());
// A link that is opened in the same tab only changes the hash: begin anew with the token in it.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
});
render(<App lab={lab} benchName={bench} firstLanguage={firstLanguage()} onSpeak={rememberLanguage} />, root);
