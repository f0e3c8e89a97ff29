/** Large values arrive in pieces, so that small frames can overtake them; here they are put together again. */

import { decodeValue } from "../wire/frame";
import type { FromGatewayWords } from "../wire/messages";
import type { Value } from "../wire/read";

type Chunk = FromGatewayWords["ValueChunk"];

/** More pieces or more values at once are dropped: nobody sends that much in good faith. */
export const MAX_VALUE_BYTES = 8 * 1024 * 1024;
export const MAX_UNFINISHED = 16;

interface Unfinished {
  pieces: (Uint8Array | undefined)[];
  missing: number;
  sizeBytes: number;
}

/** Collects the pieces of several values. Bounded: beyond the limits the oldest unfinished or unclaimed one is forgotten. */
export class ValueAssembler {
  readonly #unfinished = new Map<string, Unfinished>();
  readonly #whole = new Map<string, Value>();
  readonly #claims = new Map<string, (value: Value) => void>();

  /** Forget everything: the connection that carried the pieces is gone. */
  reset(): void {
    this.#unfinished.clear();
    this.#whole.clear();
    this.#claims.clear();
  }

  /** Use the value of this name: at once when all of it has come, otherwise as soon as it has. */
  claim(name: string, use: (value: Value) => void): void {
    const value = this.#whole.get(name);
    if (value === undefined) {
      makeRoom(this.#claims);
      this.#claims.set(name, use);
    } else {
      this.#whole.delete(name);
      use(value);
    }
  }

  /** Take a piece. Pieces that make no sense are dropped; throws `FrameError` when a whole value is garbage. */
  add(chunk: Chunk): void {
    if (chunk.count < 1 || chunk.index < 0 || chunk.index >= chunk.count || chunk.count > MAX_VALUE_BYTES / 1024)
      return;
    const entry = this.#entry(chunk);
    if (entry.pieces.length !== chunk.count || entry.pieces[chunk.index] !== undefined) return;
    entry.pieces[chunk.index] = chunk.data;
    entry.missing -= 1;
    entry.sizeBytes += chunk.data.byteLength;
    if (entry.missing > 0 && entry.sizeBytes <= MAX_VALUE_BYTES) return;
    this.#unfinished.delete(chunk.value);
    if (entry.sizeBytes <= MAX_VALUE_BYTES) this.#completed(chunk.value, decodeValue(joined(entry)));
  }

  #completed(name: string, value: Value): void {
    const use = this.#claims.get(name);
    this.#claims.delete(name);
    if (use !== undefined) {
      use(value);
      return;
    }
    makeRoom(this.#whole);
    this.#whole.set(name, value);
  }

  #entry(chunk: Chunk): Unfinished {
    const known = this.#unfinished.get(chunk.value);
    if (known !== undefined) return known;
    makeRoom(this.#unfinished);
    const entry = { pieces: new Array<Uint8Array | undefined>(chunk.count), missing: chunk.count, sizeBytes: 0 };
    this.#unfinished.set(chunk.value, entry);
    return entry;
  }
}

function makeRoom(values: Map<string, unknown>): void {
  if (values.size < MAX_UNFINISHED) return;
  const oldest = values.keys().next();
  if (oldest.done !== true) values.delete(oldest.value);
}

function joined(entry: Unfinished): Uint8Array {
  const whole = new Uint8Array(entry.sizeBytes);
  let offset = 0;
  for (const piece of entry.pieces) {
    if (piece === undefined) continue;
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}
