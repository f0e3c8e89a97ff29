/** Frames: one WebSocket binary message is the msgpack array `[seq, {type, …fields}]`. */

import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";
import { FROM_GATEWAY, TO_GATEWAY, type FromGateway, type ToGateway } from "./messages";
import { Mismatch, record, type Reader, type Shape, type Value } from "./read";

/** Larger frames from the gateway are refused unread. */
export const MAX_FRAME_BYTES = 1_048_576;

/** A frame could not be read; `code` is one of the server's stable codes. */
export class FrameError extends Error {
  readonly code: "too_large" | "malformed" | "unknown_type";

  constructor(code: FrameError["code"], text: string) {
    super(text);
    this.code = code;
  }
}

/** Which words a frame may carry, and how to read each. */
export type Vocabulary = Readonly<Record<string, Reader<object>>>;

export const FROM_GATEWAY_WORDS = vocabulary(FROM_GATEWAY);
/** What the page itself sends; only tests and tools read these. */
export const TO_GATEWAY_WORDS = vocabulary(TO_GATEWAY);

function vocabulary(shapes: Readonly<Record<string, Shape>>): Vocabulary {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, record(shape)]));
}

class NoExtensions extends ExtensionCodec {
  override decode(): never {
    throw new Mismatch("extension types are not understood");
  }
}
const noExtensions = new NoExtensions();

export interface Frame<M> {
  readonly seq: number;
  readonly message: M;
}

/** The gateway's message in a frame. Throws `FrameError`. */
export function decodeFrame(data: Uint8Array): Frame<FromGateway> {
  return decodeFrameOf(FROM_GATEWAY_WORDS, data) as Frame<FromGateway>;
}

/** The message in a frame, of any vocabulary. Throws `FrameError`. */
export function decodeFrameOf(words: Vocabulary, data: Uint8Array): Frame<object> {
  if (data.byteLength > MAX_FRAME_BYTES) throw new FrameError("too_large", `A frame of ${data.byteLength} bytes.`);
  const { seq, content } = unpack(data);
  const { type, ...fields } = content;
  const read = typeof type === "string" && Object.hasOwn(words, type) ? words[type] : undefined;
  if (read === undefined)
    throw new FrameError("unknown_type", `${String(type)} is not a word that is understood here.`);
  try {
    return { seq, message: { type, ...read(fields) } };
  } catch (error) {
    if (error instanceof Mismatch) throw new FrameError("malformed", `${String(type)}${error.message}`);
    throw error;
  }
}

function unpack(data: Uint8Array): { seq: number; content: Record<string, unknown> } {
  let decoded: unknown;
  try {
    decoded = decode(data, { extensionCodec: noExtensions });
  } catch {
    throw new FrameError("malformed", "The frame is not valid msgpack.");
  }
  if (Array.isArray(decoded) && decoded.length === 2) {
    const [seq, content] = decoded as [unknown, unknown];
    if (typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0 && isMap(content)) return { seq, content };
  }
  throw new FrameError("malformed", "A frame is an array of a sequence number and a map.");
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** The frame of a message of ours. Fields that are null are left out. */
export function encodeFrame(message: ToGateway): Uint8Array<ArrayBuffer> {
  const content = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null));
  return encode([0, content]);
}

/** A value that travelled in chunks, put together. Throws `FrameError`. */
export function decodeValue(data: Uint8Array): Value {
  try {
    return decode(data, { extensionCodec: noExtensions }) as Value;
  } catch {
    throw new FrameError("malformed", "A value in pieces is not valid msgpack.");
  }
}
