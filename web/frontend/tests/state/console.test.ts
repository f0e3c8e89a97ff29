import { describe, expect, test } from "vitest";
import { actionReason, benchReason, mayClearStop, mayStop } from "../../src/state/access";
import { actionOf, type Bench } from "../../src/state/bench";
import { commandSent, EMPTY, reduceConsole, type ConsoleState } from "../../src/state/console";
import { waterfall } from "../../src/state/ledger";
import { FOLD_WITHIN_MS, isFailure, MAX_ENTRIES, openIds } from "../../src/state/log";
import { measured, typicalMs, UNMEASURED } from "../../src/state/round-trip";
import { targetStatus } from "../../src/state/targets";
import { FROM_GATEWAY_WORDS } from "../../src/wire/frame";
import type { CommandMode, FromGateway } from "../../src/wire/messages";
import { DESCRIPTION, LEASE, LEDGER, snapshot } from "../support/bench";

function message(type: string, fields: object): FromGateway {
  return { type, ...FROM_GATEWAY_WORDS[type]?.(fields) } as FromGateway;
}

function after(state: ConsoleState, ...messages: [string, object][]): ConsoleState {
  return messages.reduce((next, [type, fields]) => reduceConsole(next, message(type, fields), 200), state);
}

const START = after({ ...EMPTY, me: "p-me" }, ["BenchSnapshot", snapshot({ lease: LEASE, state: "in_use" })]);

function benchOf(state: ConsoleState): Bench {
  if (state.bench === null) throw new Error("a bench");
  return state.bench;
}

function sent(
  state: ConsoleState,
  id: string,
  voltage: number,
  mode: CommandMode = "latest",
  timeMs = 100,
): ConsoleState {
  const command = { id, participant: "p-me", device: "psu", action: "set_voltage", args: { voltage }, mode, timeMs };
  return commandSent(state, command);
}

const finished = (id: string, fields: object = {}): [string, object] => [
  "CommandFinished",
  { id, status: "done", ledger: LEDGER, ...fields },
];

describe("the bench after events", () => {
  test("state, devices, lease, people, interlocks, stop", () => {
    const state = after(
      START,
      ["BenchChanged", { state: "draining", text: "soon" }],
      ["DeviceChanged", { report: { device: "psu", state: "offline", text: "gone" } }],
      ["LeaseChanged", { lease: null, reason: "released" }],
      ["PresenceChanged", { participants: [] }],
      ["InterlockChanged", { interlock: "hot", blocking: true }],
      ["InterlockChanged", { interlock: "hot", blocking: true }],
      ["StopFinished", { id: "r", participant: "p-wang", verified: false, ledger: LEDGER }],
    );
    const bench = benchOf(state);
    expect(bench).toMatchObject({ state: "draining", lease: null, leaseReason: "released", participants: [] });
    expect(bench.devices["psu"]?.state).toBe("offline");
    expect(bench.blocking).toEqual(["hot"]);
    expect(bench.stopped).toEqual({ by: "p-wang", verified: false, text: "" });
    const cleared = after(
      state,
      ["StopCleared", { participant: "p-me" }],
      ["InterlockChanged", { interlock: "hot", blocking: false }],
    );
    expect(benchOf(cleared).stopped).toBeNull();
    expect(benchOf(cleared).blocking).toEqual([]);
    expect(cleared.log.map(({ kind }) => kind)).toEqual(["interlock", "stop", "stop_cleared"]);
  });

  test("a knob stands where anybody's last carried-out set-point put it", () => {
    const mine = after(sent(START, "a", 3.3), finished("a"));
    expect(benchOf(mine).setPoints["psu.set_voltage"]).toEqual({ voltage: 3.3 });
    const logged = { participant: "p-wang", device: "psu", action: "set_voltage", args: { voltage: 5 }, time_ms: 1 };
    const theirs = after(mine, ["CommandLogged", { ...logged, status: "done" }]);
    expect(benchOf(theirs).setPoints["psu.set_voltage"]).toEqual({ voltage: 5 });
    const failed = after(theirs, ["CommandLogged", { ...logged, args: { voltage: 9 }, status: "failed" }]);
    expect(benchOf(failed).setPoints["psu.set_voltage"]).toEqual({ voltage: 5 });
  });
});

describe("when the bench is made safe", () => {
  const set = after(sent(START, "a", 3.3), finished("a"));
  const safe = { ...DESCRIPTION, interlocks: DESCRIPTION.interlocks.map((lock) => ({ ...lock, makes_safe: true })) };

  test.each<[string, object]>([
    ["StopFinished", { id: "r", participant: "p-wang", verified: true, ledger: LEDGER }],
    ["BenchChanged", { state: "draining" }],
  ])("after %s no knob stands where it stood", (type, fields) => {
    expect(benchOf(after(set, [type, fields])).setPoints).toEqual({});
  });

  test("an interlock that does it is announced and logged, once", () => {
    const trip: [string, object] = ["InterlockChanged", { interlock: "hot", blocking: true }];
    const state = after(set, ["InventoryChanged", { description: safe }], trip, trip);
    expect(benchOf(state).setPoints).toEqual({});
    expect(state.notices).toMatchObject([{ code: "interlocked" }]);
    expect(state.log.filter(({ kind }) => kind === "interlock")).toHaveLength(1);
    expect(after(set, trip).notices).toEqual([]);
  });
});

describe("readings", () => {
  test("the newest wins, whatever the order; a history fills what is missing", () => {
    const state = after(
      START,
      ["TelemetrySampled", { device: "psu", time_ms: 50, values: { voltage: 2 } }],
      ["TelemetrySampled", { device: "psu", time_ms: 40, values: { voltage: 1, output: true } }],
      [
        "TelemetryHistory",
        {
          device: "psu",
          columns: ["time_ms", "voltage", "mode"],
          rows: [
            [10, 0, "CC"],
            [45, 1.5, null],
          ],
        },
      ],
    );
    expect(state.readings["psu.voltage"]).toEqual({ value: 2, timeMs: 50 });
    expect(state.readings["psu.output"]?.value).toBe(true);
    expect(state.readings["psu.mode"]).toEqual({ value: "CC", timeMs: 10 });
  });

  test("a query's answer is a reading of what it reads, and a trace is kept", () => {
    const query = {
      id: "q",
      participant: "p-me",
      device: "psu",
      action: "measure",
      args: {},
      mode: "ordered",
      timeMs: 1,
    } as const;
    const state = after(commandSent(START, query), finished("q", { value: 4.2 }));
    expect(state.readings["psu.voltage"]?.value).toBe(4.2);
    const traced = after(commandSent(START, query), finished("q", { value: { x0: 0, dx: 1, y: [1] } }));
    expect(traced.traces).toMatchObject([{ device: "psu", source: "measure", y: [1] }]);
  });
});

describe("the log", () => {
  test("each command has one line, from sent to its outcome", () => {
    const state = sent(START, "a", 1, "ordered");
    expect(state.log[0]?.phase).toBe("sent");
    const admitted = after(state, ["CommandAdmitted", { id: "a", start_in_ms: 3 }]);
    expect(admitted.log[0]?.phase).toBe("admitted");
    expect(openIds(admitted.log)).toEqual(["a"]);
    const done = after(admitted, finished("a"), finished("a", { status: "failed" }));
    expect(done.log).toMatchObject([{ phase: "done", receivedMs: 200 }]);
    expect(openIds(done.log)).toEqual([]);
  });

  test("superseded set-points are counted by the one that took their place", () => {
    let state = sent(sent(START, "a", 1), "b", 2);
    state = after(state, finished("a", { status: "cancelled", code: "superseded" }), finished("b"));
    expect(state.log).toMatchObject([{ key: "b", phase: "done", folded: 1 }]);
    expect(state.notices).toEqual([]);
  });

  test("while a knob is turned, what was carried out shares a line, until it rests", () => {
    let state = after(sent(START, "a", 1), finished("a"));
    state = after(sent(state, "b", 2, "latest", 200), finished("b"));
    expect(state.log).toMatchObject([{ key: "b", folded: 1 }]);
    state = after(sent(state, "c", 3, "latest", 200 + FOLD_WITHIN_MS), finished("c"));
    expect(state.log).toHaveLength(2);
  });

  test("others' commands fold too", () => {
    const logged = (time_ms: number): [string, object] => [
      "CommandLogged",
      { participant: "p-wang", device: "psu", action: "set_voltage", args: { voltage: 1 }, status: "done", time_ms },
    ];
    expect(after(START, logged(100), logged(200), logged(9_000)).log.map(({ folded }) => folded)).toEqual([1, 0]);
  });

  test("is bounded", () => {
    let state = START;
    for (let count = 0; count < MAX_ENTRIES + 5; count += 1) state = sent(state, `c${count}`, 1, "ordered");
    expect(state.log).toHaveLength(MAX_ENTRIES);
    expect(state.log[0]?.key).toBe("c5");
  });

  test("outcomes in a snapshot conclude what an earlier session left open", () => {
    const state = after(sent(START, "a", 1), [
      "BenchSnapshot",
      snapshot({ outcomes: [finished("a", { status: "expired", code: "deadline_passed" })[1]] }),
    ]);
    expect(state.log).toMatchObject([{ phase: "expired" }]);
  });
});

describe("a control's state", () => {
  test("what is on its way, what went wrong, and that a success heals it", () => {
    let state = sent(START, "a", 9, "ordered");
    expect(targetStatus(state.log, "psu", "set_voltage")).toMatchObject({ pending: 1, wanted: { voltage: 9 } });
    state = after(state, [
      "CommandRefused",
      { id: "a", code: "out_of_limits", text: "Too much.", parameter: "voltage" },
    ]);
    const refused = targetStatus(state.log, "psu", "set_voltage");
    expect(refused).toMatchObject({ pending: 0, failure: { code: "out_of_limits", parameter: "voltage" } });
    expect(state.notices).toMatchObject([{ key: "a", code: "out_of_limits" }]);
    state = after(sent(state, "b", 1, "ordered"), finished("b", { value: 1.5 }));
    expect(targetStatus(state.log, "psu", "set_voltage")).toMatchObject({ failure: null, result: { value: 1.5 } });
  });

  test("cancelled by oneself is no failure", () => {
    const state = after(sent(START, "a", 1), finished("a", { status: "cancelled", code: "cancelled_by_caller" }));
    expect(state.log.some(isFailure)).toBe(false);
  });
});

describe("why something is disabled: the first reason that applies", () => {
  const viewer = { me: "p-me", ready: true };
  const reason = (changes: object, who = viewer, name = "set_voltage") => {
    const bench = benchOf(after(EMPTY, ["BenchSnapshot", snapshot({ lease: LEASE, state: "in_use", ...changes })]));
    const action = actionOf(bench, "psu", name);
    if (action === undefined) throw new Error("an action");
    return actionReason(bench, who, "psu", action);
  };
  const offline = [{ device: "psu", state: "offline", text: "" }];

  test.each([
    [{}, null],
    [{ state: "offline" }, "bench"],
    [{ state: "quarantined" }, "bench"],
    [{ may: ["observe"], lease: null }, "observer"],
    [{ lease: { ...LEASE, participant: "p-wang", name: "Wang" } }, "held"],
    [{ lease: null }, "free"],
    [{ stopped: true }, "stopped"],
    [{ devices: offline }, "device"],
    [{ devices: [] }, "device"],
    [{ blocking: ["hot"] }, "interlock"],
    [{ blocking: ["hot"], devices: offline }, "device"],
  ])("%o: %s", (changes, kind) => expect(reason(changes)?.kind ?? null).toBe(kind));

  test("no connection goes before everything", () => {
    expect(reason({ state: "offline" }, { me: "p-me", ready: false })?.kind).toBe("not_connected");
  });

  test("queries pass a stop and other actions' interlocks; a supervisor's need no control", () => {
    expect(reason({ stopped: true, blocking: ["hot"] }, viewer, "measure")).toBeNull();
    expect(reason({ lease: null }, viewer, "measure")?.kind).toBe("free");
    expect(reason({ lease: null, may: ["supervise"] }, viewer, "measure")).toBeNull();
  });

  test("who may stop, and who may lift it", () => {
    const bench = (changes: Record<string, unknown>) => benchOf(after(EMPTY, ["BenchSnapshot", snapshot(changes)]));
    expect(mayStop(bench({ may: ["observe"] }))).toBe(false);
    expect(mayStop(bench({ may: ["stop"] }))).toBe(true);
    expect(mayClearStop(bench({ lease: LEASE }), "p-me")).toBe(true);
    expect(mayClearStop(bench({ lease: LEASE }), "p-wang")).toBe(false);
    expect(mayClearStop(bench({ may: ["supervise"] }), "p-wang")).toBe(true);
    expect(benchReason(bench({ lease: null }), viewer)?.kind).toBe("free");
  });
});

describe("delays", () => {
  test("a ledger becomes stretches that add up; clocks that disagree a little do no harm", () => {
    expect(waterfall(LEDGER, 130)).toEqual({
      totalMs: 30,
      stretches: [
        { stage: "uplink", startMs: 0, lengthMs: 13 },
        { stage: "gateway", startMs: 13, lengthMs: 1 },
        { stage: "queue", startMs: 14, lengthMs: 1 },
        { stage: "instrument", startMs: 15, lengthMs: 5 },
        { stage: "return", startMs: 20, lengthMs: 1 },
        { stage: "downlink", startMs: 21, lengthMs: 9 },
      ],
    });
    expect(waterfall({ ...LEDGER, agent_received_ms: 110 }, 120).totalMs).toBe(21);
    const short = { ...LEDGER, agent_received_ms: null, first_byte_ms: null, last_byte_ms: null };
    expect(waterfall(short, 130).stretches.map(({ stage }) => stage)).toEqual(["uplink", "return", "downlink"]);
  });

  test("a long round trip makes the page supervisory, and only a clearly shorter one ends that", () => {
    const run = (values: number[], from = UNMEASURED) => values.reduce(measured, from);
    expect(typicalMs(UNMEASURED)).toBeNull();
    expect(run([20, 900, 20]).supervisory).toBe(false);
    const far = run([600, 620, 640]);
    expect(far.supervisory).toBe(true);
    expect(run([450, 450, 450, 450], far).supervisory).toBe(true);
    expect(run([300, 300, 300, 300], far).supervisory).toBe(false);
  });
});
