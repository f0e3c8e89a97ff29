/**
 * A visit to a bench: the connection below, the state above, and everything that somebody at the console can do. It knows
 * no page; the views call its methods and read its stores.
 */

import { Connection, type LinkStatus } from "./connection/connection";
import type { Dial, Timer } from "./connection/ports";
import { SetPointPacer } from "./connection/set-points";
import { ValueAssembler } from "./connection/values";
import { Errands } from "./errands";
import { Requests, type Answer } from "./requests";
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
import { Telemetry } from "./state/telemetry";
import { withoutTraces } from "./state/traces";
import { Stopping } from "./stopping";
import { Store } from "./store";
import { FrameError } from "./wire/frame";
import type { Args, CommandMode, FromGateway, FromGatewayWords } from "./wire/messages";

export interface LabPorts {
  dial: Dial;
  timer: Timer;
  uniform: () => number;
  newId: () => string;
}

export class Lab {
  readonly link: Store<LinkStatus>;
  readonly state = new Store<ConsoleState>(EMPTY);
  readonly telemetry = new Telemetry();
  /** Grows with every sample: what plots watch instead of the state. */
  readonly samples = new Store(0);
  readonly errands: Errands;
  readonly stopping: Stopping;
  readonly #ports: LabPorts;
  readonly #connection: Connection;
  readonly #requests = new Requests();
  readonly #values = new ValueAssembler();
  readonly #pacer: SetPointPacer;

  constructor(ports: LabPorts, token: string) {
    this.#ports = ports;
    this.#connection = new Connection(ports, token, {
      changed: (status) => this.#linkChanged(status),
      welcomed: (welcome) => this.#reduce(welcome),
      received: (message) => this.#received(message),
      measured: (roundTripMs) => this.#measured(roundTripMs),
    });
    this.link = new Store(this.#connection.status);
    this.#pacer = new SetPointPacer(ports.timer, (name, args) => this.#sendSetPoint(name, args));
    const refused = (id: string, answer: Answer & { done: false }) => this.#notice(id, answer);
    this.errands = new Errands(this.#requests, {
      newId: ports.newId,
      send: (message) => this.#connection.send(message),
      fence: () => this.#fence(),
      refused,
    });
    this.stopping = new Stopping(this.#requests, {
      nowMs: () => ports.timer.nowMs(),
      send: () => this.#sendStop(),
      refused,
    });
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

  dismiss(notice: string): void {
    this.state.set(noticeDismissed(this.state.value, notice));
  }

  clearTraces(device: string): void {
    this.state.set({ ...this.state.value, traces: withoutTraces(this.state.value.traces, device) });
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
    const sentMs = this.#connection.clock.earliestServerMs(this.#ports.timer.nowMs());
    const description = bench && actionOf(bench, device, action);
    if (!description || sentMs === null) return;
    const id = this.#ports.newId();
    const { time_to_live_ms: ttl_ms } = description;
    const command = { id, fence: this.#fence(), device, action, args, sent_ms: sentMs, ttl_ms, mode };
    if (!this.#connection.send({ type: "Command", ...command })) return;
    const timeMs = this.serverMs() ?? sentMs;
    this.state.set(commandSent(this.state.value, { id, participant: me, device, action, args, mode, timeMs }));
  }

  #sendStop(): string | null {
    this.#pacer.reset();
    const sentMs = this.#connection.clock.earliestServerMs(this.#ports.timer.nowMs());
    const id = this.#ports.newId();
    return sentMs !== null && this.#connection.send({ type: "Stop", id, sent_ms: sentMs }) ? id : null;
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
    this.stopping.connected();
  }

  #received(message: FromGateway): void {
    this.#requests.take(message);
    if (message.type === "ValueChunk") this.#chunk(message);
    else this.#reduce(message);
    if (this.telemetry.take(message)) this.samples.set(this.samples.value + 1);
    if (message.type === "CommandRefused") this.#sendAgain(message);
    if (message.type === "CommandFinished" && message.chunks !== null) {
      const { id, chunks } = message;
      this.#values.claim(chunks, (value) => {
        this.state.set(valueCompleted(this.state.value, id, value, this.serverMs() ?? 0));
      });
    }
  }

  #reduce(message: FromGateway): void {
    this.state.set(reduceConsole(this.state.value, message, this.serverMs() ?? 0));
  }

  /** A knob's last value must arrive: refused for want of room, it is sent once more when there should be some. */
  #sendAgain(refused: FromGatewayWords["CommandRefused"]): void {
    const entry = this.state.value.log.findLast(({ key }) => key === refused.id);
    if (entry?.mode !== "latest" || refused.retry_after_ms === null) return;
    const again = this.#pacer.again(target(entry.device, entry.action), entry.args, refused.retry_after_ms);
    if (again) this.dismiss(refused.id);
  }

  /** What an earlier socket sent may not have arrived: commands without an outcome are asked for, never sent again. */
  #askForOutcomes(): void {
    const commands = openIds(this.state.value.log);
    if (commands.length > 0) this.#connection.send({ type: "AskOutcomes", id: this.#ports.newId(), commands });
  }

  #chunk(chunk: FromGatewayWords["ValueChunk"]): void {
    try {
      this.#values.add(chunk);
    } catch (error) {
      // A value that cannot be read is missing, nothing more: its command is done all the same.
      if (!(error instanceof FrameError)) throw error;
    }
  }
}
