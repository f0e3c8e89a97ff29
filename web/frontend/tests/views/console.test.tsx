import { render } from "preact";
import { expect, test } from "vitest";
import { Console } from "../../src/views/console";

test("the console names itself", () => {
  const root = document.createElement("div");
  render(<Console />, root);
  expect(root.querySelector("h1")?.textContent).toBe("Lab console");
});
