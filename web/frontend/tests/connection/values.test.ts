import { encode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { SetPointPacer, SET_POINT_EVERY_MS } from "../../src/connection/set-points";
import { MAX_UNFINISHED, ValueAssembler } from "../../src/connection/values";
import { FakeTimer } from "../support/fakes";

function pieces(name: string, value: unknown, count: number) {
  const whole = encode(value);
  const size = Math.ceil(whole.length / count);
  return Array.from({ length: count }, (_, index) => ({
    type: "ValueChunk" as const,
    value: name,
    index,
    count,
    data: whole.slice(index * size, (index + 1) * size),
  }));
}

describe("values in pieces", () => {
  test("are put together in any order, before or after they are asked for", () => {
    const values = new ValueAssembler();
    const got: unknown[] = [];
    const [a, b, c] = pieces("v", { y: [1, 2, 3] }, 3);
    if (!a || !b || !c) throw new Error("three pieces");
    [c, a, b].forEach((piece) => values.add(piece));
    values.claim("v", (value) => got.push(value));
    values.claim("w", (value) => got.push(value));
    pieces("w", "later", 2).forEach((piece) => values.add(piece));
    expect(got).toEqual([{ y: [1, 2, 3] }, "later"]);
  });

  test("nonsense is dropped", () => {
    const values = new ValueAssembler();
    const got: unknown[] = [];
    values.claim("v", (value) => got.push(value));
    const [piece] = pieces("v", 5, 1);
    if (!piece) throw new Error("a piece");
    values.add({ ...piece, index: 1 });
    values.add({ ...piece, count: 0 });
    values.add({ ...piece, count: 1e9, index: 3 });
    expect(got).toEqual([]);
    values.add(piece);
    values.add(piece);
    expect(got).toEqual([5]);
  });

  test("unfinished ones are forgotten, the oldest first", () => {
    const values = new ValueAssembler();
    const got: unknown[] = [];
    const [first, second] = pieces("v", "long enough", 2);
    if (!first || !second) throw new Error("two pieces");
    values.add(first);
    for (let index = 0; index < MAX_UNFINISHED; index += 1) values.add({ ...first, value: `other ${index}` });
    values.claim("v", (value) => got.push(value));
    values.add(second);
    expect(got).toEqual([]);
  });
});

describe("pacing the set-points of a knob", () => {
  const setUp = () => {
    const timer = new FakeTimer();
    const sent: [string, unknown][] = [];
    return { timer, sent, pacer: new SetPointPacer(timer, (name, args) => sent.push([name, args])) };
  };

  test("the first goes at once, then at most thirty a second, and the last one always", () => {
    const { timer, sent, pacer } = setUp();
    for (let turn = 0; turn < 100; turn += 1) {
      pacer.want("psu.v", { v: turn });
      timer.pass(2);
    }
    timer.pass(100);
    expect(sent[0]).toEqual(["psu.v", { v: 0 }]);
    expect(sent.at(-1)).toEqual(["psu.v", { v: 99 }]);
    expect(sent.length).toBeLessThanOrEqual(Math.ceil(200 / SET_POINT_EVERY_MS) + 1);
  });

  test("knobs do not wait for each other", () => {
    const { sent, pacer } = setUp();
    pacer.want("a.x", { v: 1 });
    pacer.want("b.x", { v: 2 });
    expect(sent).toHaveLength(2);
  });

  test("what waits is forgotten on a reset", () => {
    const { timer, sent, pacer } = setUp();
    pacer.want("a.x", { v: 1 });
    pacer.want("a.x", { v: 2 });
    pacer.reset();
    timer.pass(1_000);
    expect(sent).toEqual([["a.x", { v: 1 }]]);
  });

  test("a value refused for the moment is sent again, a few times", () => {
    const { timer, sent, pacer } = setUp();
    const args = { v: 1 };
    pacer.want("a.x", args);
    const again = [1, 2, 3, 4].map(() => {
      const answer = pacer.again("a.x", args, 500);
      timer.pass(500);
      return answer;
    });
    expect(again).toEqual([true, true, true, false]);
    expect(sent).toHaveLength(4);
  });

  test("a refused value never comes back over a newer one", () => {
    const { timer, sent, pacer } = setUp();
    const old = { v: 1 };
    pacer.want("a.x", old);
    timer.pass(100);
    pacer.want("a.x", { v: 2 });
    expect(pacer.again("a.x", old, 100)).toBe(true);
    timer.pass(1_000);
    expect(sent.at(-1)).toEqual(["a.x", { v: 2 }]);
    expect(pacer.again("b.x", old, 100)).toBe(false);
  });
});
