import { encode } from "@msgpack/msgpack";
import { beforeEach, describe, expect, test } from "vitest";
import { Lab } from "../src/lab";
import { STOP_KEPT_MS } from "../src/stopping";
import { LEASE, LEDGER, snapshot } from "./support/bench";
import { countedIds, FakeServer, FakeTimer } from "./support/fakes";

let server: FakeServer;
let timer: FakeTimer;
let lab: Lab;

beforeEach(() => {
  server = new FakeServer();
  timer = new FakeTimer();
  lab = new Lab({ dial: server.dial, timer, uniform: () => 0.5, newId: countedIds() }, "token");
  lab.open();
  enter();
});

function enter(changes: Record<string, unknown> = {}): void {
  server.last.welcome();
  server.last.say("BenchSnapshot", snapshot({ lease: LEASE, state: "in_use", ...changes }));
  server.last.pong(500_000);
}

function reconnect(fields: Record<string, unknown> = {}): void {
  server.last.drop();
  timer.pass(1_000);
  server.last.welcome(fields);
}

const flush = () => new Promise((resolve) => setTimeout(resolve));

describe("commands", () => {
  test("carry the fence, the action's time to live, and a time on the server's clock that is not too late", () => {
    lab.command("psu", "set_voltage", { voltage: 3.3 });
    expect(server.last.of("Command")).toEqual([
      {
        type: "Command",
        id: "id-1",
        fence: 7,
        device: "psu",
        action: "set_voltage",
        args: { voltage: 3.3 },
        sent_ms: timer.nowMs() + 500_000,
        ttl_ms: 300,
        mode: "ordered",
      },
    ]);
  });

  test("are not sent without a connection, nor later", () => {
    server.last.drop();
    lab.command("psu", "set_voltage", { voltage: 1 });
    timer.pass(1_000);
    enter();
    expect(server.last.of("Command")).toEqual([]);
    expect(lab.state.value.log).toEqual([]);
  });

  test("are not sent before the first exchange of clocks", () => {
    reconnect();
    lab.command("psu", "set_voltage", { voltage: 1 });
    expect(server.last.of("Command")).toEqual([]);
  });

  test("a turned knob sends few set-points, the last one included", () => {
    for (let turn = 1; turn <= 50; turn += 1) lab.turn("psu", "set_voltage", { voltage: turn / 10 });
    timer.pass(100);
    const sent = server.last.of("Command");
    expect(sent).toHaveLength(2);
    expect(sent.at(-1)).toMatchObject({ args: { voltage: 5 }, mode: "latest" });
  });

  test("a knob's last value that was refused for the moment is sent again, without a complaint", () => {
    lab.turn("psu", "set_voltage", { voltage: 5 });
    server.last.say("CommandRefused", { id: "id-1", code: "would_be_late", text: "Busy.", retry_after_ms: 400 });
    expect(lab.state.value.notices).toEqual([]);
    timer.pass(400);
    expect(server.last.of("Command")).toHaveLength(2);
    server.last.say("CommandRefused", { id: "id-2", code: "interlocked", text: "Hot." });
    timer.pass(5_000);
    expect(server.last.of("Command")).toHaveLength(2);
    expect(lab.state.value.notices).toHaveLength(1);
  });

  test("those without an outcome are asked for after a reconnect, and never sent again", () => {
    lab.command("psu", "set_voltage", { voltage: 3 });
    reconnect({ resumed: true });
    expect(server.last.of("AskOutcomes")).toMatchObject([{ commands: ["id-1"] }]);
    expect(server.last.of("Command")).toEqual([]);
    server.last.say("CommandFinished", { id: "id-1", status: "cancelled", code: "never_started", ledger: LEDGER });
    expect(lab.state.value.log).toMatchObject([{ phase: "cancelled" }]);
  });

  test("a value that comes in pieces reaches its command", () => {
    lab.command("psu", "measure", {});
    const whole = encode({ x0: 0, dx: 1, y: [1, 2, 3], x_unit: "s", y_unit: "V" });
    const piece = (index: number, data: Uint8Array) =>
      server.last.say("ValueChunk", { value: "v", index, count: 2, data });
    piece(0, whole.slice(0, 5));
    server.last.say("CommandFinished", { id: "id-1", status: "done", ledger: LEDGER, chunks: "v" });
    expect(lab.state.value.traces).toEqual([]);
    piece(1, whole.slice(5));
    expect(lab.state.value.traces).toMatchObject([{ y: [1, 2, 3], source: "measure" }]);
    server.last.say("ValueChunk", { value: "w", index: 0, count: 1, data: new Uint8Array([0xc1]) });
    expect(lab.link.value.kind).toBe("open");
  });
});

describe("telemetry", () => {
  test("fills the series and counts the samples", () => {
    server.last.say("TelemetryHistory", { device: "psu", columns: ["time_ms", "voltage"], rows: [[1, 1.5]] });
    server.last.say("TelemetrySampled", { device: "psu", time_ms: 2, values: { voltage: 2 } });
    expect(lab.telemetry.of("psu").length).toBe(2);
    expect(lab.samples.value).toBe(2);
  });
});

describe("errands", () => {
  test("one of each at a time, until it is answered", async () => {
    void lab.errands.acquire();
    void lab.errands.acquire();
    expect(server.last.of("AcquireLease")).toHaveLength(1);
    expect(lab.errands.running.value.has("acquire")).toBe(true);
    server.last.say("RequestDone", { id: "id-1" });
    await flush();
    expect(lab.errands.running.value.size).toBe(0);
    expect(lab.state.value.notices).toEqual([]);
  });

  test("a refusal is told", async () => {
    void lab.errands.transfer("p-wang");
    expect(server.last.of("TransferLease")).toMatchObject([{ fence: 7, to: "p-wang" }]);
    server.last.say("RequestRefused", { id: "id-1", code: "unknown_participant", text: "Gone." });
    await flush();
    expect(lab.state.value.notices).toMatchObject([{ code: "unknown_participant", text: "Gone." }]);
    lab.dismiss("id-1");
    expect(lab.state.value.notices).toEqual([]);
  });

  test("the rest of them say what they mean", () => {
    void lab.errands.renew();
    void lab.errands.release();
    void lab.errands.revoke();
    void lab.errands.clearStop();
    void lab.errands.releaseQuarantine();
    const types = server.last.sent.map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(["RenewLease", "ReleaseLease", "RevokeLease", "ClearStop", "ReleaseQuarantine"]),
    );
  });

  test("without a connection, or when it is lost, the request has failed", async () => {
    void lab.errands.renew();
    server.last.drop();
    void lab.errands.release();
    await flush();
    expect(lab.state.value.notices.map(({ code }) => code)).toEqual(["link_lost", "link_lost"]);
  });
});

describe("stop", () => {
  test("goes out at once and is pressed until it is answered", async () => {
    lab.turn("psu", "set_voltage", { voltage: 1 });
    lab.turn("psu", "set_voltage", { voltage: 2 });
    lab.stopping.stop();
    expect(lab.stopping.press.value).toBe("pressed");
    const [stop] = server.last.of("Stop");
    timer.pass(100);
    expect(server.last.of("Command")).toHaveLength(1);
    server.last.say("StopFinished", { id: stop?.["id"], participant: "p-me", verified: true, ledger: LEDGER }, 1);
    await flush();
    expect(lab.stopping.press.value).toBe("idle");
    expect(lab.state.value.bench?.stopped).toMatchObject({ by: "p-me", verified: true });
  });

  test("waits for the connection and goes out first thing after", async () => {
    server.last.drop();
    lab.stopping.stop();
    expect(lab.stopping.press.value).toBe("waiting");
    timer.pass(1_000);
    enter();
    expect(server.last.of("Stop")).toHaveLength(1);
    reconnect();
    await flush();
    server.last.pong(500_000);
    expect(server.last.of("Stop")).toHaveLength(1);
  });

  test("is dropped when it is old: the bench has made itself safe by then", () => {
    server.last.drop();
    lab.stopping.stop();
    timer.pass(STOP_KEPT_MS);
    enter();
    expect(server.last.of("Stop")).toEqual([]);
    expect(lab.stopping.press.value).toBe("idle");
  });

  test("a refusal is told", async () => {
    lab.stopping.stop();
    server.last.say("RequestRefused", { id: "id-1", code: "forbidden", text: "No." });
    await flush();
    expect(lab.stopping.press.value).toBe("idle");
    expect(lab.state.value.notices).toMatchObject([{ code: "forbidden" }]);
  });
});
