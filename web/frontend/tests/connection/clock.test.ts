import { describe, expect, test } from "vitest";
import { Backoff } from "../../src/connection/backoff";
import { ClockFollower, DRIFT_PER_MS } from "../../src/connection/clock";

/** An exchange with a server that is `aheadMs` ahead, over a link with these delays. */
function exchange(atMs: number, aheadMs: number, thereMs: number, backMs: number) {
  const receivedMs = atMs + thereMs + aheadMs;
  return { sentMs: atMs, receivedMs, repliedMs: receivedMs + 1, backMs: atMs + thereMs + 1 + backMs };
}

describe("following the server's clock", () => {
  test("knows nothing before the first exchange", () => {
    const clock = new ClockFollower();
    expect(clock.isSet).toBe(false);
    expect(clock.serverMs(5)).toBeNull();
    expect(clock.earliestServerMs(5)).toBeNull();
    expect(clock.errorMs(5)).toBe(Infinity);
  });

  test("the offset is wrong by at most half the round trip, however lopsided the link", () => {
    const clock = new ClockFollower();
    clock.observe(exchange(100, 5_000, 80, 20));
    expect(clock.roundTripMs).toBe(100);
    expect(Math.abs((clock.serverMs(300) ?? 0) - 5_300)).toBeLessThanOrEqual(clock.errorMs(300));
    expect(clock.earliestServerMs(300)).toBeLessThanOrEqual(5_300);
  });

  test("the exchange with the shortest round trip is believed", () => {
    const clock = new ClockFollower();
    clock.observe(exchange(100, 5_000, 80, 20));
    clock.observe(exchange(300, 5_000, 2, 2));
    clock.observe(exchange(500, 5_000, 20, 90));
    expect(clock.serverMs(600)).toBe(5_600);
    expect(clock.errorMs(305)).toBe(2);
  });

  test("what is known ages by the drift of two clocks", () => {
    const clock = new ClockFollower();
    clock.observe(exchange(100, 0, 1, 1));
    expect(clock.errorMs(103 + 10_000)).toBeCloseTo(1 + 10_000 * DRIFT_PER_MS);
  });

  test("a contradiction means that a clock has jumped, and starts the filter anew", () => {
    const clock = new ClockFollower();
    clock.observe(exchange(100, 5_000, 2, 2));
    clock.observe(exchange(300, 9_000, 40, 40));
    expect(clock.jumps).toBe(1);
    expect(clock.serverMs(600)).toBe(9_600);
  });

  test("only the last few exchanges count, and a reset forgets them", () => {
    const clock = new ClockFollower(2);
    clock.observe(exchange(0, 0, 1, 1));
    clock.observe(exchange(10, 0, 5, 5));
    clock.observe(exchange(30, 0, 6, 6));
    expect(clock.errorMs(43)).toBeGreaterThan(4);
    clock.reset();
    expect(clock.isSet).toBe(false);
  });
});

describe("waiting before dialling again", () => {
  test("grows to a ceiling, never below half of it, and starts over after success", () => {
    const backoff = new Backoff(() => 0, { firstMs: 100, mostMs: 400, factor: 2 });
    expect([1, 2, 3, 4].map(() => backoff.nextMs())).toEqual([50, 100, 200, 200]);
    backoff.succeeded();
    expect(backoff.nextMs()).toBe(50);
  });

  test("waits as long as the server asks for", () => {
    expect(new Backoff(() => 0.5).nextMs(3_000)).toBe(3_000);
  });
});
