/** Starts the start page: in a demo it lists the benches, otherwise it says how to get to one. */

import { render } from "preact";
import { firstLanguage, rememberLanguage } from "./address";
import { Start } from "./views/start";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app element");
render(<Start firstLanguage={firstLanguage()} onSpeak={rememberLanguage} />, root);
