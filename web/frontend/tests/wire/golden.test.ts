import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeFrameOf, encodeFrame, FROM_GATEWAY_WORDS, TO_GATEWAY_WORDS } from "../../src/wire/frame";
import type { ToGateway } from "../../src/wire/messages";

const GOLDEN = join(import.meta.dirname, "../../../../tests/golden");
const index = JSON.parse(readFileSync(join(GOLDEN, "index.json"), "utf8")) as {
  file: string;
  type: string;
  seq: number;
}[];
const read = (file: string) => new Uint8Array(readFileSync(join(GOLDEN, file)));
const ofAgents = (file: string) => file.startsWith("Agent");

describe("the golden frames, which the Python side reads too", () => {
  const ours = index.filter(({ type, file }) => Object.hasOwn(FROM_GATEWAY_WORDS, type) && !ofAgents(file));
  test.each(ours)("$file from the gateway", ({ file, type, seq }) => {
    const frame = decodeFrameOf(FROM_GATEWAY_WORDS, read(file));
    expect(frame.seq).toBe(seq);
    expect(frame.message).toMatchObject({ type });
  });

  const sent = index.filter(({ type }) => Object.hasOwn(TO_GATEWAY_WORDS, type));
  test.each(sent)("$file to the gateway, there and back", ({ file }) => {
    const { message } = decodeFrameOf(TO_GATEWAY_WORDS, read(file));
    expect(decodeFrameOf(TO_GATEWAY_WORDS, encodeFrame(message as ToGateway)).message).toEqual(message);
  });

  test("there is one for every word that the page reads or sends", () => {
    const types = new Set(index.map(({ type }) => type));
    const words = [...Object.keys(FROM_GATEWAY_WORDS), ...Object.keys(TO_GATEWAY_WORDS)];
    expect(words.filter((word) => !types.has(word))).toEqual([]);
  });
});
