import { render } from "preact";
import { Console } from "./views/console";

const root = document.getElementById("app");
if (root === null) throw new Error("lab.html has no #app element");
render(<Console />, root);
