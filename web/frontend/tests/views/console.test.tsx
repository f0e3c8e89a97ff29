import axe from "axe-core";
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CATALOGUES } from "../../src/i18n/language";
import { Lab } from "../../src/lab";
import { App } from "../../src/views/app";
import { DESCRIPTION, LEASE, LEDGER, snapshot } from "../support/bench";
import { countedIds, FakeServer, FakeTimer, type FarEnd } from "../support/fakes";

// happy-dom has no canvas; what uPlot draws is looked at in the browser.
vi.mock("../../src/views/plots/use-canvas", () => ({
  useCanvas: () => ({ root: { current: null }, canvas: { current: null } }),
}));

const { en, zh } = CATALOGUES;
/** Do something and let the page be drawn again, at once. */
function doing(deed: () => void): void {
  void act(deed);
}

let server: FakeServer;
let timer: FakeTimer;
let lab: Lab;
let root: HTMLElement;

beforeEach(() => {
  server = new FakeServer();
  timer = new FakeTimer();
  lab = new Lab({ dial: server.dial, timer, uniform: () => 0.5, newId: countedIds() }, "token");
  root = document.createElement("div");
  document.body.append(root);
  doing(() => render(<App lab={lab} benchName="lamp" firstLanguage="en" onSpeak={() => undefined} />, root));
  doing(() => lab.open());
});

afterEach(() => {
  doing(() => render(null, root));
  root.remove();
});

function enter(changes: Record<string, unknown> = {}): FarEnd {
  say((end) => {
    end.welcome();
    end.say("BenchSnapshot", snapshot({ lease: LEASE, state: "in_use", ...changes }));
    for (let round = 0; round < 5; round += 1) end.pong(500_000);
  });
  return server.last;
}

const say = (speak: (end: FarEnd) => void) => doing(() => speak(server.last));
const words = () => root.textContent;

function find(selector: string): HTMLElement {
  const element = root.querySelector<HTMLElement>(selector);
  if (element === null) throw new Error(`nothing is ${selector}`);
  return element;
}

function field(selector: string): HTMLInputElement {
  return find(selector) as HTMLInputElement;
}

function button(name: string): HTMLButtonElement {
  const found = [...root.querySelectorAll("button")].find(
    (candidate) => (candidate.getAttribute("aria-label") ?? candidate.textContent).trim() === name,
  );
  if (found === undefined) throw new Error(`no button ${name}`);
  return found;
}

const click = (element: HTMLElement) => doing(() => element.click());
const press = (element: HTMLElement | Window, key: string) =>
  doing(() => void element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));

function type(input: HTMLInputElement, text: string): void {
  doing(() => {
    input.value = text;
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  });
}

describe("before the bench is there", () => {
  test("connecting, then waiting with a way to hurry", () => {
    expect(words()).toContain(en["link.connecting"]);
    say((end) => end.drop());
    expect(words()).toContain(en["link.lost"]);
    click(button(en["link.retry"]));
    expect(server.sockets).toHaveLength(2);
  });

  test.each(["token_invalid", "token_expired", "forbidden", "not_found", "replaced"] as const)(
    "refused: %s",
    (code) => {
      say((end) => {
        end.open();
        end.say("ConnectionClosing", { code, text: "No." });
      });
      expect(find("h1").textContent).toBe(en[`refused.${code}`]);
    },
  );

  test("a reason that this page does not know is shown in the server's words", () => {
    doing(() => lab.refuse("strange"));
    expect(words()).toContain(en["refused.other"]);
  });
});

describe("the panel", () => {
  test("is drawn from the description", () => {
    enter();
    expect(find("h1").textContent).toBe("Lamp");
    expect(find("[role=slider]").getAttribute("aria-valuetext")).toContain("0.00");
    expect(find("[role=switch]").getAttribute("aria-checked")).toBe("false");
    expect(button("CV")).toBeTruthy();
    expect(button(`Measure: ${en["set.read"]}`)).toBeTruthy();
    expect(button(`Ramp: ${en["set.run"]}`).disabled).toBe(true);
  });

  test("keys turn the knob, and it shows what is wanted and what is read", () => {
    const end = enter({ set_points: [{ device: "psu", action: "set_voltage", args: { voltage: 3 } }] });
    const knob = find("[role=slider]");
    press(knob, "ArrowUp");
    expect(end.of("Command").at(-1)).toMatchObject({ args: { voltage: 3.01 }, mode: "latest" });
    doing(() => timer.pass(50));
    press(knob, "End");
    expect(end.of("Command").at(-1)).toMatchObject({ args: { voltage: 30 } });
    expect(find(".tile[data-kind=knob]").dataset["pending"]).toBe("true");
    say((far) => far.say("TelemetrySampled", { device: "psu", time_ms: 1, values: { voltage: 29.5 } }));
    expect(knob.getAttribute("aria-valuetext")).toContain("29.500");
  });

  test("a typed number is checked, then sent with Enter", () => {
    const end = enter();
    const input = field(".tile[data-kind=knob] input");
    type(input, "99");
    press(input, "Enter");
    expect(words()).toContain("Between 0");
    type(input, "abc");
    press(input, "Enter");
    expect(words()).toContain(en["set.not_a_number"]);
    press(input, "Escape");
    expect(input.value).toBe("");
    type(input, "2,5");
    press(input, "Enter");
    expect(end.of("Command")).toMatchObject([{ args: { voltage: 2.5 }, mode: "ordered" }]);
  });

  test("switches, choices, queries and forms send one command each", () => {
    const end = enter();
    click(find("[role=switch]"));
    click(button("CC"));
    click(button(`Measure: ${en["set.read"]}`));
    type(field(".field input"), "12 V");
    click(button(`Ramp: ${en["set.run"]}`));
    expect(end.of("Command").map(({ action, args }) => [action, args])).toEqual([
      ["set_output", { on: true }],
      ["set_mode", { mode: "CC" }],
      ["measure", {}],
      ["ramp", { to: 12, seconds: 5 }],
    ]);
    expect(find("[role=switch]").getAttribute("aria-checked")).toBe("true");
  });

  test("a failure is told at its control, as a notice and in the log", () => {
    enter();
    click(find("[role=switch]"));
    say((end) => end.say("CommandRefused", { id: "id-1", code: "out_of_limits", text: "It is out of its limits." }));
    expect(find(".failure").textContent).toContain("It is out of its limits.");
    expect(find(".notice").textContent).toContain("Output");
    expect(find(".log-line").dataset["phase"]).toBe("refused");
    click(button(en["notice.dismiss"]));
    expect(root.querySelector(".notice")).toBeNull();
  });

  test("an interlock disables its controls and says why, in both languages", () => {
    enter();
    say((end) => end.say("InterlockChanged", { interlock: "hot", blocking: true }, 1));
    expect(find("[role=slider]").getAttribute("aria-disabled")).toBe("true");
    expect(words()).toContain("Blocked: The lamp is too hot.");
    expect(find("[role=switch]").hasAttribute("disabled")).toBe(false);
    click(button("中文"));
    expect(words()).toContain("灯泡过热。");
    expect(document.documentElement.lang).toBe("zh-CN");
  });

  test.each([
    [{ lease: null, state: "online" }, en["why.free"]],
    [{ lease: { ...LEASE, participant: "p-wang", name: "Wang" } }, "Wang has control."],
    [{ may: ["observe"], lease: null }, en["why.observer"]],
    [{ devices: [{ device: "psu", state: "offline", text: "The port vanished." }] }, en["why.device_offline"]],
    [{ state: "offline" }, en["bench.offline"]],
    [{ state: "draining", lease: null }, en["bench.draining"]],
    [{ state: "quarantined", lease: null }, en["bench.quarantined"]],
    [{ description: null, devices: [] }, en["bench.unknown"]],
    [{ description: { ...DESCRIPTION, devices: [] } }, en["bench.empty"]],
  ])("%o: %s", (changes, told) => {
    enter(changes);
    expect(words()).toContain(told);
    const enabled = [...root.querySelectorAll<HTMLButtonElement>(".tile button")].filter(({ disabled }) => !disabled);
    expect(enabled).toEqual([]);
  });

  test("is kept but disabled while the connection is away", () => {
    enter();
    say((end) => end.drop());
    expect(words()).toContain(en["link.kept"]);
    expect(find("[role=slider]").getAttribute("aria-disabled")).toBe("true");
  });
});

describe("far away", () => {
  test("knobs do not send by themselves any more: Apply does", () => {
    const end = enter();
    for (let round = 0; round < 5; round += 1) {
      doing(() => timer.pass(2_000));
      const ping = end.of("Ping").at(-1)?.["sent_ms"] as number;
      doing(() => timer.pass(700));
      say((far) => far.say("Pong", { sent_ms: ping, received_ms: 1, replied_ms: 1 }));
    }
    expect(words()).toContain(en["supervisory.title"]);
    press(find("[role=slider]"), "PageUp");
    expect(end.of("Command")).toEqual([]);
    click(button(en["set.apply"]));
    expect(end.of("Command")).toMatchObject([{ args: { voltage: 0.1 }, mode: "ordered" }]);
  });
});

describe("control", () => {
  test("is taken, extended, handed over and released", async () => {
    const end = enter({ lease: null, state: "online" });
    click(button(en["control.take"]));
    say((far) => {
      far.say("RequestDone", { id: "id-1" });
      far.say("LeaseChanged", { lease: LEASE, reason: "acquired" }, 1);
    });
    await act(() => Promise.resolve());
    expect(words()).toContain(en["control.yours"]);
    click(button(en["control.extend"]));
    click(button(en["control.hand_over"]));
    click(button("Wang"));
    click(button(en["control.release"]));
    const types = end.sent.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(["AcquireLease", "RenewLease", "TransferLease", "ReleaseLease"]));
  });

  test("a supervisor may take it away", () => {
    const end = enter({
      lease: { ...LEASE, participant: "p-wang", name: "Wang" },
      may: ["observe", "control", "supervise"],
    });
    click(button(en["control.revoke"]));
    expect(end.of("RevokeLease")).toHaveLength(1);
  });

  test("its last minute is announced", () => {
    enter({ lease: { ...LEASE, expires_ms: 501_000 + 30_000 } });
    expect(words()).toContain("Control ends in 30 s");
  });
});

describe("stop", () => {
  test("by the button, and cleared again", () => {
    const end = enter();
    click(find(".stop"));
    expect(find(".stop").getAttribute("aria-pressed")).toBe("true");
    say((far) => far.say("StopFinished", { id: "id-1", participant: "p-me", verified: true, ledger: LEDGER }, 1));
    expect(words()).toContain(en["stop.by_you"]);
    expect(find("[role=slider]").getAttribute("aria-disabled")).toBe("true");
    click(button(en["stop.clear"]));
    expect(end.of("ClearStop")).toHaveLength(1);
  });

  test("by Escape twice, not once", () => {
    const end = enter();
    press(window, "Escape");
    expect(end.of("Stop")).toEqual([]);
    press(window, "Escape");
    expect(end.of("Stop")).toHaveLength(1);
  });

  test("is not offered to who may not", () => {
    enter({ may: ["observe"] });
    expect(root.querySelector(".stop")).toBeNull();
  });
});

describe("the log", () => {
  test("opens to the latency ledger, and can be narrowed", () => {
    enter();
    click(find("[role=switch]"));
    say((end) => {
      end.say("CommandFinished", { id: "id-1", status: "done", ledger: LEDGER }, 1);
      end.say("CommandLogged", {
        participant: "p-wang",
        device: "psu",
        action: "set_mode",
        args: { mode: "CC" },
        status: "failed",
        time_ms: 1,
      });
    });
    expect(root.querySelectorAll(".log-line")).toHaveLength(2);
    click(find("button.log-latency"));
    expect(find(".log-ledger").textContent).toContain(en["latency.instrument"]);
    click(button(en["log.mine"]));
    expect(root.querySelectorAll(".log-line")).toHaveLength(1);
    click(button(en["log.failed"]));
    expect(find(".log-line").textContent).toContain("Wang");
  });
});

describe("everybody can use it", () => {
  const faces: [string, () => void][] = [
    ["connecting", () => undefined],
    ["in control", () => enter()],
    ["watching, stopped", () => enter({ stopped: true, may: ["observe"], lease: { ...LEASE, participant: "p-wang" } })],
    ["refused", () => doing(() => lab.refuse("token_invalid"))],
  ];
  test.each(faces)("%s: axe finds nothing", async (_, prepare) => {
    prepare();
    // Colours and sizes are checked in the browser: happy-dom lays nothing out.
    const rules = {
      "color-contrast": { enabled: false },
      "target-size": { enabled: false },
      region: { enabled: false },
    };
    const { violations } = await axe.run(root, { rules });
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  });

  test("both languages have a title for it", () => {
    enter();
    click(button("中文"));
    expect(document.title).toBe(`灯泡 · ${zh["app.name"]}`);
  });
});
