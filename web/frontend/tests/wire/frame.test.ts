import { encode, ExtData } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { decodeFrame, decodeValue, encodeFrame, FrameError, MAX_FRAME_BYTES } from "../../src/wire/frame";

function codeOf(data: Uint8Array): string {
  try {
    decodeFrame(data);
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
  return "read";
}

describe("frames that cannot be read cost one clear error", () => {
  const pong = { type: "Pong", sent_ms: 1, received_ms: 2.5, replied_ms: 3 };
  test.each([
    ["garbage", new Uint8Array([0xc1, 1, 2]), "malformed"],
    ["nothing", new Uint8Array(), "malformed"],
    ["no array", encode({ type: "Pong" }), "malformed"],
    ["a negative number", encode([-1, pong]), "malformed"],
    ["a body that is no map", encode([0, [pong]]), "malformed"],
    ["an unknown word", encode([0, { type: "Launch" }]), "unknown_type"],
    ["a word of Object's", encode([0, { type: "toString" }]), "unknown_type"],
    ["no word", encode([0, {}]), "unknown_type"],
    ["a missing field", encode([0, { type: "Pong", sent_ms: 1 }]), "malformed"],
    ["a wrong type", encode([0, { ...pong, sent_ms: "1" }]), "malformed"],
    ["an infinite number", encode([0, { ...pong, sent_ms: Infinity }]), "malformed"],
    ["an extension", encode([0, { ...pong, sent_ms: new ExtData(5, new Uint8Array(2)) }]), "malformed"],
    ["too much", new Uint8Array(MAX_FRAME_BYTES + 1), "too_large"],
  ])("%s", (_, data, code) => expect(codeOf(data)).toBe(code));

  test("values that nest too deep", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 8; level += 1) deep = [deep];
    expect(codeOf(encode([0, { type: "TelemetrySampled", device: "a", time_ms: 1, values: { v: deep } }]))).toBe(
      "malformed",
    );
  });
});

test("a field that is newer than this page is ignored", () => {
  expect(decodeFrame(encode([3, { type: "RequestDone", id: "a", mood: "good" }]))).toEqual({
    seq: 3,
    message: { type: "RequestDone", id: "a" },
  });
});

test("a mismatch names its place", () => {
  const lease = { participant: "p", name: 5, fence: 1, expires_ms: 1 };
  expect(() => decodeFrame(encode([0, { type: "LeaseChanged", lease, reason: "" }]))).toThrow(
    "LeaseChanged.lease.name: a string is wanted",
  );
});

test("null fields are left out of what is sent", () => {
  const frame = encodeFrame({ type: "AcquireLease", id: "a" });
  expect([...frame]).toEqual([...encode([0, { type: "AcquireLease", id: "a" }])]);
});

test("a value in pieces that is no msgpack is an error, not a crash", () => {
  expect(() => decodeValue(new Uint8Array([0xc1]))).toThrow(FrameError);
});
