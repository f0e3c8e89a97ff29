/** Stand-ins for the outside: a socket whose far end is the test, and a clock that the test moves. */

import { decode, encode } from "@msgpack/msgpack";
import type { Dial, Socket, SocketEvents, Timer } from "../../src/connection/ports";

interface Due {
  atMs: number;
  act: () => void;
}

export class FakeTimer implements Timer {
  #now = 1_000;
  #due: Due[] = [];

  nowMs(): number {
    return this.#now;
  }

  after(delayMs: number, act: () => void): () => void {
    const due = { atMs: this.#now + delayMs, act };
    this.#due.push(due);
    return () => {
      this.#due = this.#due.filter((other) => other !== due);
    };
  }

  /** Let time pass; what falls due on the way happens in order. */
  pass(ms: number): void {
    const untilMs = this.#now + ms;
    for (;;) {
      const next = this.#due.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.atMs);
      next.act();
    }
    this.#now = untilMs;
  }
}

export type Sent = Record<string, unknown> & { type: string };

/** One dialled socket, seen from the server. */
export class FarEnd implements Socket {
  readonly sent: Sent[] = [];
  isClosed = false;
  readonly #events: SocketEvents;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  send(data: Uint8Array): void {
    const [, message] = decode(data) as [number, Sent];
    this.sent.push(message);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.#events.opened();
  }

  say(type: string, fields: Record<string, unknown>, seq = 0): void {
    this.sayBytes(encode([seq, { type, ...fields }]));
  }

  sayBytes(data: Uint8Array): void {
    this.#events.received(data);
  }

  drop(): void {
    this.#events.closed();
  }

  welcome(fields: Record<string, unknown> = {}): void {
    this.open();
    this.say("Welcome", {
      version: 1,
      features: [],
      session: "s-1",
      resume_key: "k-1",
      resumed: false,
      participant: "p-me",
      server_ms: 500_000,
      silence_ms: 20_000,
      max_frame_bytes: 65_536,
      ...fields,
    });
  }

  /** Answer the newest Ping: the server's clock is ahead by `aheadMs`. */
  pong(aheadMs = 0): void {
    const ping = this.sent.findLast(({ type }) => type === "Ping");
    const sentMs = ping?.["sent_ms"] as number;
    this.say("Pong", { sent_ms: sentMs, received_ms: sentMs + aheadMs, replied_ms: sentMs + aheadMs });
  }

  of(type: string): Sent[] {
    return this.sent.filter((message) => message.type === type);
  }
}

export class FakeServer {
  readonly sockets: FarEnd[] = [];

  readonly dial: Dial = (events) => {
    const end = new FarEnd(events);
    this.sockets.push(end);
    return end;
  };

  get last(): FarEnd {
    const end = this.sockets.at(-1);
    if (end === undefined) throw new Error("nobody has dialled");
    return end;
  }
}

/** Ids in order: id-1, id-2… */
export function countedIds(): () => string {
  let count = 0;
  return () => `id-${(count += 1)}`;
}
