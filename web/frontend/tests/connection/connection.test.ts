import { beforeEach, describe, expect, test } from "vitest";
import { Connection, type LinkStatus } from "../../src/connection/connection";
import { DEAD_AFTER_MS, PING_EVERY_MS, QUICK_EXCHANGES } from "../../src/connection/pings";
import type { FromGateway } from "../../src/wire/messages";
import { FakeServer, FakeTimer } from "../support/fakes";

let server: FakeServer;
let timer: FakeTimer;
let statuses: LinkStatus[];
let received: FromGateway[];
let connection: Connection;

beforeEach(() => {
  server = new FakeServer();
  timer = new FakeTimer();
  statuses = [];
  received = [];
  connection = new Connection({ dial: server.dial, timer, uniform: () => 0.5 }, "the-token", {
    changed: (status) => statuses.push(status),
    welcomed: () => undefined,
    received: (message) => received.push(message),
    measured: () => undefined,
  });
  connection.open();
});

const kinds = () => statuses.map(({ kind }) => kind);
const event = (seq: number) => server.last.say("StopCleared", { participant: "p-1" }, seq);

describe("opening", () => {
  test("says Hello with the token, and is open after Welcome", () => {
    server.last.open();
    expect(server.last.sent).toEqual([
      expect.objectContaining({ type: "Hello", token: "the-token", versions: [1], last_seq: 0 }),
    ]);
    expect(connection.isOpen).toBe(false);
    server.last.welcome();
    expect(kinds()).toEqual(["connecting", "open"]);
  });

  test("pings a few times at once, then every two seconds", () => {
    server.last.welcome();
    for (let round = 0; round < 10; round += 1) server.last.pong();
    expect(server.last.of("Ping")).toHaveLength(QUICK_EXCHANGES);
    timer.pass(PING_EVERY_MS);
    expect(server.last.of("Ping")).toHaveLength(QUICK_EXCHANGES + 1);
  });

  test("sends nothing before Welcome, and does not send it later either", () => {
    expect(connection.send({ type: "AcquireLease", id: "a" })).toBe(false);
    server.last.welcome();
    expect(server.last.of("AcquireLease")).toEqual([]);
  });

  test("a second call while a socket is there dials no second one", () => {
    connection.open();
    expect(server.sockets).toHaveLength(1);
  });

  test("a server that never answers is given up, and dialled again", () => {
    timer.pass(10_000);
    expect(server.last.isClosed).toBe(true);
    expect(kinds()).toEqual(["connecting", "waiting"]);
  });
});

describe("coming back", () => {
  beforeEach(() => {
    server.last.welcome();
    server.last.pong();
  });

  test("resumes the session from the last event that arrived", () => {
    event(1);
    event(2);
    server.last.drop();
    timer.pass(1_000);
    server.last.open();
    expect(server.last.of("Hello")).toEqual([
      expect.objectContaining({ session: "s-1", resume_key: "k-1", last_seq: 2 }),
    ]);
  });

  test("an event that comes twice counts once", () => {
    event(1);
    event(1);
    event(2);
    expect(received).toHaveLength(2);
  });

  test("a session that could not be resumed counts its events anew", () => {
    event(5);
    server.last.drop();
    timer.pass(1_000);
    server.last.welcome();
    event(1);
    expect(received).toHaveLength(2);
    expect(connection.clock.isSet).toBe(false);
  });

  test("events are acknowledged, together", () => {
    event(1);
    event(2);
    timer.pass(1_000);
    expect(server.last.of("Ack")).toEqual([{ type: "Ack", seq: 2 }]);
  });

  test("waits longer after each failure, and as long as the server asks for", () => {
    server.last.say("ConnectionClosing", { code: "going_away", text: "Restart", retry_after_ms: 4_000 });
    const status = statuses.at(-1);
    expect(status).toMatchObject({ kind: "waiting", text: "Restart" });
    expect(status?.kind === "waiting" && status.untilMs - timer.nowMs()).toBe(4_000);
  });

  test("somebody who does not want to wait is connected now, once", () => {
    server.last.drop();
    connection.open();
    expect(server.sockets).toHaveLength(2);
    server.last.welcome();
    timer.pass(1_000);
    expect(server.sockets).toHaveLength(2);
  });

  test("a server that no longer answers pings is dead, whatever the socket says", () => {
    timer.pass(DEAD_AFTER_MS + 2 * PING_EVERY_MS);
    expect(kinds()).toContain("waiting");
    expect(server.sockets[0]?.isClosed).toBe(true);
  });

  test("arriving frames keep the pings going when timers run late", () => {
    for (let round = 0; round < QUICK_EXCHANGES; round += 1) server.last.pong();
    const before = server.last.of("Ping").length;
    const late = new FakeTimer();
    timer.after = late.after.bind(late);
    timer.pass(PING_EVERY_MS * 2);
    server.last.say("StopCleared", { participant: "p-1" });
    expect(server.last.of("Ping").length).toBeGreaterThan(before);
  });

  test("what an abandoned socket still says is not heard", () => {
    const old = server.last;
    old.drop();
    old.say("StopCleared", { participant: "p-1" }, 9);
    expect(received).toEqual([]);
  });

  test("a frame that cannot be read ends the session: a resume would leave a hole", () => {
    server.last.sayBytes(new Uint8Array([0xc1]));
    timer.pass(1_000);
    server.last.open();
    expect(server.last.of("Hello")[0]).not.toHaveProperty("session");
  });

  test("a word that is newer than this page is ignored", () => {
    server.last.say("Sang", {});
    expect(connection.isOpen).toBe(true);
  });
});

describe("ends that dialling again cannot mend", () => {
  test.each(["token_invalid", "token_expired", "forbidden", "not_found", "replaced", "version_unsupported"])(
    "%s",
    (code) => {
      server.last.open();
      server.last.say("ConnectionClosing", { code, text: "No." });
      server.last.drop();
      timer.pass(60_000);
      expect(statuses.at(-1)).toEqual({ kind: "closed", code, text: "No." });
      expect(server.sockets).toHaveLength(1);
    },
  );
});
