/** What one can ask of a bench besides commands: its control, and lifting a stop or a quarantine. One of each at a time. */

import { LOST, type Answer, type Requests } from "./requests";
import { Store } from "./store";
import type { ToGateway } from "./wire/messages";

export type Errand = "acquire" | "renew" | "release" | "transfer" | "revoke" | "clear_stop" | "quarantine";

export interface ErrandActs {
  newId(): string;
  send(message: ToGateway): boolean;
  /** The fence of the present lease. */
  fence(): number;
  refused(id: string, answer: Answer & { done: false }): void;
}

export class Errands {
  /** What is being asked for at the moment, so that its button can say so. */
  readonly running = new Store<ReadonlySet<Errand>>(new Set());
  readonly #acts: ErrandActs;
  readonly #requests: Requests;

  constructor(requests: Requests, acts: ErrandActs) {
    this.#requests = requests;
    this.#acts = acts;
  }

  acquire(): Promise<void> {
    return this.#run("acquire", (id) => ({ type: "AcquireLease", id }));
  }

  renew(): Promise<void> {
    return this.#run("renew", (id) => ({ type: "RenewLease", id, fence: this.#acts.fence() }));
  }

  release(): Promise<void> {
    return this.#run("release", (id) => ({ type: "ReleaseLease", id, fence: this.#acts.fence() }));
  }

  transfer(to: string): Promise<void> {
    return this.#run("transfer", (id) => ({ type: "TransferLease", id, fence: this.#acts.fence(), to }));
  }

  revoke(): Promise<void> {
    return this.#run("revoke", (id) => ({ type: "RevokeLease", id }));
  }

  clearStop(): Promise<void> {
    return this.#run("clear_stop", (id) => ({ type: "ClearStop", id }));
  }

  releaseQuarantine(): Promise<void> {
    return this.#run("quarantine", (id) => ({ type: "ReleaseQuarantine", id }));
  }

  async #run(errand: Errand, message: (id: string) => ToGateway): Promise<void> {
    const { running } = this;
    if (running.value.has(errand)) return;
    const id = this.#acts.newId();
    if (!this.#acts.send(message(id))) {
      this.#acts.refused(id, LOST);
      return;
    }
    running.set(new Set(running.value).add(errand));
    const answer = await this.#requests.expect(id);
    running.set(new Set([...running.value].filter((other) => other !== errand)));
    if (!answer.done) this.#acts.refused(id, answer);
  }
}
