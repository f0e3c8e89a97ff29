/** A value that changes, and who wants to know: the thinnest bridge between the state and what draws it. */

export class Store<S> {
  #value: S;
  readonly #listeners = new Set<() => void>();

  constructor(initial: S) {
    this.#value = initial;
  }

  get value(): S {
    return this.#value;
  }

  set(value: S): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls back after each change; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
