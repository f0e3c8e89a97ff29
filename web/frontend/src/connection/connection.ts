/**
 * One session with a bench over as many sockets as it takes: Hello and Welcome, resume, acknowledgements, pings, dialling
 * again. It knows nothing of what the messages mean.
 */

import { decodeFrame, encodeFrame, FrameError } from "../wire/frame";
import { PROTOCOL_VERSION, type FromGateway, type ToGateway, type Welcome } from "../wire/messages";
import { Backoff } from "./backoff";
import { ClockFollower } from "./clock";
import { Pinger } from "./pings";
import type { Dial, Socket, Timer } from "./ports";

/** How the connection stands. `closed` is final: nobody dials again by himself. */
export type LinkStatus =
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "open"; readonly resumed: boolean }
  | { readonly kind: "waiting"; readonly attempt: number; readonly untilMs: number; readonly text: string }
  | { readonly kind: "closed"; readonly code: string; readonly text: string };

export interface ConnectionEvents {
  changed(status: LinkStatus): void;
  /** The server's Welcome: who we are, and whether the session was resumed. */
  welcomed(welcome: Welcome): void;
  received(message: FromGateway): void;
  /** A new measure of the round trip. */
  measured(roundTripMs: number): void;
}

/** Reasons for which dialling again with the same token cannot help. */
const FINAL = new Set([
  "token_invalid",
  "token_expired",
  "forbidden",
  "origin_refused",
  "not_found",
  "replaced",
  "version_unsupported",
]);

const WELCOME_WITHIN_MS = 10_000;
const ACK_AFTER_MS = 1_000;
const ACK_AFTER_EVENTS = 32;

interface Resume {
  session: string;
  key: string;
}

export class Connection {
  readonly clock = new ClockFollower();
  status: LinkStatus = { kind: "connecting", attempt: 1 };
  readonly #dial: Dial;
  readonly #timer: Timer;
  readonly #events: ConnectionEvents;
  readonly #token: string;
  readonly #backoff: Backoff;
  readonly #pinger: Pinger;
  #socket: Socket | null = null;
  #welcomed = false;
  #attempt = 0;
  #resume: Resume | null = null;
  #lastSeq = 0;
  #ackedSeq = 0;
  #callOffAck: (() => void) | null = null;
  #callOffTimer: (() => void) | null = null;

  constructor(ports: { dial: Dial; timer: Timer; uniform: () => number }, token: string, events: ConnectionEvents) {
    this.#dial = ports.dial;
    this.#timer = ports.timer;
    this.#token = token;
    this.#events = events;
    this.#backoff = new Backoff(ports.uniform);
    this.#pinger = new Pinger(ports.timer, this.clock, {
      send: (sentMs) => this.#transmit({ type: "Ping", sent_ms: sentMs }),
      measured: () => this.#measured(),
      dead: () => this.#lost("The server no longer answers."),
    });
  }

  /** Dial now: at the start, or when somebody does not want to wait for the next attempt. */
  open(): void {
    if (this.#socket !== null || this.status.kind === "closed") return;
    this.#callOffTimer?.();
    this.#attempt += 1;
    this.#set({ kind: "connecting", attempt: this.#attempt });
    this.#callOffTimer = this.#timer.after(WELCOME_WITHIN_MS, () => this.#lost("The server does not answer."));
    // Events of an abandoned socket must not reach us: only the socket that is current counts.
    let current: Socket | null = null;
    const ifCurrent = (act: () => void) => {
      if (current !== null && current === this.#socket) act();
    };
    current = this.#dial({
      opened: () => ifCurrent(() => this.#hello()),
      received: (data) => ifCurrent(() => this.#take(data)),
      closed: () => ifCurrent(() => this.#lost("")),
    });
    this.#socket = current;
  }

  /** Whether a message sent now would go out. */
  get isOpen(): boolean {
    return this.#welcomed;
  }

  /** Send a message; false when there is no connection, and then it is not sent later either. */
  send(message: ToGateway): boolean {
    if (!this.#welcomed) return false;
    this.#transmit(message);
    return true;
  }

  /** Leave for good, or never begin. */
  refuse(code: string): void {
    this.#end(code, "");
  }

  #hello(): void {
    this.#transmit({
      type: "Hello",
      versions: [PROTOCOL_VERSION],
      token: this.#token,
      program: "tongke-page",
      features: ["admissions", "telemetry"],
      session: this.#resume?.session ?? null,
      resume_key: this.#resume?.key ?? null,
      last_seq: this.#resume === null ? 0 : this.#lastSeq,
    });
  }

  #transmit(message: ToGateway): void {
    this.#socket?.send(encodeFrame(message));
  }

  #take(data: Uint8Array): void {
    let seq: number;
    let message: FromGateway;
    try {
      ({ seq, message } = decodeFrame(data));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (error.code === "unknown_type") return;
      // What the frame would have told is lost, so a resume would leave a hole: start over with a fresh snapshot.
      this.#resume = null;
      this.#lost(error.message);
      return;
    }
    if (seq > 0) {
      if (seq <= this.#lastSeq) return;
      this.#lastSeq = seq;
      this.#acknowledgeSoon();
    }
    this.#route(message);
    this.#pinger.heard();
  }

  #route(message: FromGateway): void {
    if (message.type === "Welcome") this.#welcome(message);
    else if (message.type === "Pong") this.#pinger.answered(message);
    else if (message.type === "ConnectionClosing") this.#told(message.code, message.text, message.retry_after_ms);
    else this.#events.received(message);
  }

  #welcome(welcome: Welcome): void {
    this.#callOffTimer?.();
    this.#welcomed = true;
    this.#resume = { session: welcome.session, key: welcome.resume_key };
    if (!welcome.resumed) {
      this.#lastSeq = 0;
      this.#ackedSeq = 0;
      this.clock.reset();
    }
    this.#events.welcomed(welcome);
    this.#set({ kind: "open", resumed: welcome.resumed });
    this.#pinger.start(welcome.silence_ms);
  }

  #measured(): void {
    // Only now has the connection held: a server that welcomes and hangs up again is not dialled in a tight loop.
    this.#attempt = 0;
    this.#backoff.succeeded();
    this.#events.measured(this.clock.roundTripMs ?? 0);
  }

  #told(code: string, text: string, retryAfterMs: number | null): void {
    if (FINAL.has(code)) this.#end(code, text);
    else this.#lost(text, retryAfterMs ?? 0);
  }

  #acknowledgeSoon(): void {
    if (this.#lastSeq - this.#ackedSeq >= ACK_AFTER_EVENTS) this.#acknowledge();
    else this.#callOffAck ??= this.#timer.after(ACK_AFTER_MS, () => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#callOffAck?.();
    this.#callOffAck = null;
    if (this.send({ type: "Ack", seq: this.#lastSeq })) this.#ackedSeq = this.#lastSeq;
  }

  #lost(text: string, atLeastMs = 0): void {
    if (this.status.kind === "closed") return;
    this.#drop();
    const delayMs = this.#backoff.nextMs(atLeastMs);
    const untilMs = this.#timer.nowMs() + delayMs;
    this.#callOffTimer = this.#timer.after(delayMs, () => this.open());
    this.#set({ kind: "waiting", attempt: this.#attempt + 1, untilMs, text });
  }

  #end(code: string, text: string): void {
    this.#drop();
    this.#set({ kind: "closed", code, text });
  }

  #drop(): void {
    this.#pinger.stop();
    this.#callOffTimer?.();
    this.#callOffAck?.();
    this.#callOffAck = null;
    this.#welcomed = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #set(status: LinkStatus): void {
    this.status = status;
    this.#events.changed(status);
  }
}
