/**
 * A visit to a bench: the connection below, the state above, and everything that somebody at the console can do. It knows
 * no page; the views call its methods and read its stores.
 */

import { Connection, type LinkStatus } from "./connection/connection";
import type { Dial, Timer } from "./connection/ports";
import { SetPointPacer } from "./connection/set-points";
import { ValueAssembler } from "./connection/values";
import { LOST, Requests, type Answer } from "./requests";
import { actionOf, target } from "./state/bench";
import {
  commandSent,
  EMPTY,
  noticed,
  noticeDismissed,
  reduceConsole,
  valueCompleted,
  type ConsoleState,
} from "./state/console";
import { openIds } from "./state/log";
import { measured } from "./state/round-trip";
import { appendHistory, Series } from "./state/series";
import { withoutTraces } from "./state/traces";
import { Store } from "./store";
import { FrameError } from "./wire/frame";
import type { Args, CommandMode, FromGateway, ToGateway } from "./wire/messages";
import type { Value } from "./wire/read";

export interface LabPorts {
  dial: Dial;
  timer: Timer;
  uniform: () => number;
  newId: () => string;
}

/** What is being asked for at the moment, so that its button can say so. */
export type Errand = "acquire" | "renew" | "release" | "transfer" | "revoke" | "clear_stop" | "quarantine";

/** How a pressed Stop stands: on its way, or waiting for the connection to come back. */
export type StopPress = "idle" | "pressed" | "waiting";

/** A Stop that could not be sent within this time is dropped: by then the bench has made itself safe. */
export const STOP_KEPT_MS = 30_000;

export class Lab {
  readonly link: Store<LinkStatus>;
  readonly state = new Store<ConsoleState>(EMPTY);
  readonly errands = new Store<ReadonlySet<Errand>>(new Set());
  readonly stopPress = new Store<StopPress>("idle");
  readonly series = new Map<string, Series>();
  /** Grows with every sample: what plots watch instead of the state. */
  readonly samples = new Store(0);
  readonly #ports: LabPorts;
  readonly #connection: Connection;
  readonly #requests = new Requests();
  readonly #values = new ValueAssembler();
  readonly #pacer: SetPointPacer;
  #stopPressedMs = 0;

  constructor(ports: LabPorts, token: string) {
    this.#ports = ports;
    this.#pacer = new SetPointPacer(ports.timer, (name, args) => this.#sendSetPoint(name, args));
    this.#connection = new Connection(ports, token, {
      changed: (status) => this.#linkChanged(status),
      welcomed: (welcome) => this.#reduce(welcome),
      received: (message) => this.#received(message),
      measured: (roundTripMs) => this.#measured(roundTripMs),
    });
    this.link = new Store(this.#connection.status);
  }

  /** Dial now; also what "try now" does. */
  open(): void {
    this.#connection.open();
  }

  /** Give up before or instead of dialling, with a reason to show. */
  refuse(code: string): void {
    this.#connection.refuse(code);
  }

  /** The server's time now, as well as it is known; null before the first exchange. */
  serverMs(): number | null {
    return this.#connection.clock.serverMs(this.#ports.timer.nowMs());
  }

  /** How wrong `serverMs` may be. */
  clockErrorMs(): number {
    return this.#connection.clock.errorMs(this.#ports.timer.nowMs());
  }

  localMs(): number {
    return this.#ports.timer.nowMs();
  }

  /** Ask a device to do something, once and in order. */
  command(device: string, action: string, args: Args): void {
    this.#send(device, action, args, "ordered");
  }

  /** Move a knob: of many values only the newest matters, and the last one is always sent. */
  turn(device: string, action: string, args: Args): void {
    this.#pacer.want(target(device, action), args);
  }

  acquire(): Promise<Answer> {
    return this.#request("acquire", (id) => ({ type: "AcquireLease", id }));
  }

  renew(): Promise<Answer> {
    return this.#request("renew", (id) => ({ type: "RenewLease", id, fence: this.#fence() }));
  }

  release(): Promise<Answer> {
    return this.#request("release", (id) => ({ type: "ReleaseLease", id, fence: this.#fence() }));
  }

  transfer(to: string): Promise<Answer> {
    return this.#request("transfer", (id) => ({ type: "TransferLease", id, fence: this.#fence(), to }));
  }

  revoke(): Promise<Answer> {
    return this.#request("revoke", (id) => ({ type: "RevokeLease", id }));
  }

  clearStop(): Promise<Answer> {
    return this.#request("clear_stop", (id) => ({ type: "ClearStop", id }));
  }

  releaseQuarantine(): Promise<Answer> {
    return this.#request("quarantine", (id) => ({ type: "ReleaseQuarantine", id }));
  }

  /** Stop the bench. Without a connection the wish is kept for a while and sent first thing when it is back. */
  stop(): void {
    this.#pacer.reset();
    this.#stopPressedMs = this.#ports.timer.nowMs();
    this.#sendStop();
  }

  dismiss(notice: string): void {
    this.state.set(noticeDismissed(this.state.value, notice));
  }

  clearTraces(device: string): void {
    this.state.set({ ...this.state.value, traces: withoutTraces(this.state.value.traces, device) });
  }

  seriesOf(device: string): Series {
    let series = this.series.get(device);
    if (series === undefined) {
      series = new Series();
      this.series.set(device, series);
    }
    return series;
  }

  #fence(): number {
    return this.state.value.bench?.lease?.fence ?? 0;
  }

  #sendSetPoint(name: string, args: Args): void {
    const [device = "", action = ""] = name.split(".");
    this.#send(device, action, args, "latest");
  }

  #send(device: string, action: string, args: Args, mode: CommandMode): void {
    const { bench, me } = this.state.value;
    const nowMs = this.#ports.timer.nowMs();
    const sentMs = this.#connection.clock.earliestServerMs(nowMs);
    const description = bench && actionOf(bench, device, action);
    if (!description || sentMs === null) return;
    const id = this.#ports.newId();
    const sent = this.#connection.send({
      type: "Command",
      id,
      fence: this.#fence(),
      device,
      action,
      args,
      sent_ms: sentMs,
      ttl_ms: description.time_to_live_ms,
      mode,
    });
    if (!sent) return;
    const timeMs = this.serverMs() ?? sentMs;
    this.state.set(commandSent(this.state.value, { id, participant: me, device, action, args, mode, timeMs }));
  }

  async #request(errand: Errand, message: (id: string) => ToGateway): Promise<Answer> {
    if (this.errands.value.has(errand)) return { done: true };
    const id = this.#ports.newId();
    if (!this.#connection.send(message(id))) return LOST;
    this.errands.set(new Set(this.errands.value).add(errand));
    const answer = await this.#requests.expect(id);
    this.errands.set(new Set([...this.errands.value].filter((other) => other !== errand)));
    if (!answer.done) this.#notice(id, answer);
    return answer;
  }

  #sendStop(): void {
    const sentMs = this.#connection.clock.earliestServerMs(this.#ports.timer.nowMs());
    const id = this.#ports.newId();
    const sent = sentMs !== null && this.#connection.send({ type: "Stop", id, sent_ms: sentMs });
    this.stopPress.set(sent ? "pressed" : "waiting");
    if (sent) void this.#requests.expect(id).then((answer) => this.#stopAnswered(id, answer));
  }

  #stopAnswered(id: string, answer: Answer): void {
    const lost = !answer.done && answer.code === "link_lost";
    this.stopPress.set(lost ? "waiting" : "idle");
    if (!answer.done && !lost) this.#notice(id, answer);
  }

  #notice(key: string, answer: Answer & { done: false }): void {
    this.state.set(noticed(this.state.value, { key, code: answer.code, text: answer.text, entry: null }));
  }

  #linkChanged(status: LinkStatus): void {
    this.link.set(status);
    if (status.kind === "open") {
      this.#askForOutcomes();
      return;
    }
    this.#pacer.reset();
    this.#values.reset();
    this.#requests.abandon();
  }

  #measured(roundTripMs: number): void {
    const { state } = this;
    state.set({ ...state.value, roundTrip: measured(state.value.roundTrip, roundTripMs) });
    if (this.stopPress.value !== "waiting") return;
    if (this.#ports.timer.nowMs() - this.#stopPressedMs < STOP_KEPT_MS) this.#sendStop();
    else this.stopPress.set("idle");
  }

  #received(message: FromGateway): void {
    this.#requests.take(message);
    if (message.type === "ValueChunk") this.#chunk(message);
    else this.#reduce(message);
    if (message.type === "TelemetrySampled") this.#sampled(message);
    else if (message.type === "TelemetryHistory") this.#history(message);
    else if (message.type === "CommandFinished" && message.chunks !== null) {
      this.#values.claim(message.chunks, (value) => this.#completed(message.id, value));
    }
  }

  #reduce(message: FromGateway): void {
    this.state.set(reduceConsole(this.state.value, message, this.serverMs() ?? 0));
  }

  #sampled(message: FromGateway & { type: "TelemetrySampled" }): void {
    this.seriesOf(message.device).append(message.time_ms, message.values);
    this.samples.set(this.samples.value + 1);
  }

  #history(message: FromGateway & { type: "TelemetryHistory" }): void {
    appendHistory(this.seriesOf(message.device), message.columns, message.rows);
    this.samples.set(this.samples.value + 1);
  }

  /** What an earlier socket sent may not have arrived: commands without an outcome are asked for, never sent again. */
  #askForOutcomes(): void {
    const commands = openIds(this.state.value.log);
    if (commands.length > 0) this.#connection.send({ type: "AskOutcomes", id: this.#ports.newId(), commands });
  }

  #chunk(chunk: FromGateway & { type: "ValueChunk" }): void {
    try {
      this.#values.add(chunk);
    } catch (error) {
      // A value that cannot be read is missing, nothing more: its command is done all the same.
      if (!(error instanceof FrameError)) throw error;
    }
  }

  #completed(id: string, value: Value): void {
    this.state.set(valueCompleted(this.state.value, id, value, this.serverMs() ?? 0));
  }
}
