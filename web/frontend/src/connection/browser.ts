/** The browser's own socket, clock and random source, as the connection's ports. */

import type { Dial, Timer } from "./ports";

/** Dials a WebSocket address. */
export function webSocketDial(url: string): Dial {
  return (events) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => events.opened();
    socket.onmessage = (event) => {
      if (event.data instanceof ArrayBuffer) events.received(new Uint8Array(event.data));
    };
    socket.onclose = () => events.closed();
    return {
      send: (data) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(data);
      },
      close: () => socket.close(),
    };
  };
}

export const browserTimer: Timer = {
  nowMs: () => performance.now(),
  after: (delayMs, act) => {
    const handle = setTimeout(act, delayMs);
    return () => clearTimeout(handle);
  },
};

/** Ids that no other page or reload will choose: a random prefix and a count. */
export function idSource(): () => string {
  const prefix = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
    byte.toString(36).padStart(2, "0"),
  ).join("");
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}
