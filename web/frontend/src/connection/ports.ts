/** What the connection needs from its surroundings, so that tests can stand in for them. */

export interface Socket {
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface SocketEvents {
  opened(): void;
  received(data: Uint8Array): void;
  closed(): void;
}

/** Opens a socket; its events come later, never from within the call. */
export type Dial = (events: SocketEvents) => Socket;

/** A clock that never goes back, and timers on it. */
export interface Timer {
  nowMs(): number;
  /** Calls back once after a while; the returned function calls that off. */
  after(delayMs: number, act: () => void): () => void;
}
