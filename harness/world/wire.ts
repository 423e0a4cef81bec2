// A connection as a client sees it. The simulated network and real sockets implement it, so the
// same clients run over both.

/** Events of a connection, for its client. */
export interface WireEvents {
  connected(): void;
  data(bytes: Uint8Array): void;
  /** The server ended its side. */
  ended(): void;
  /** The connection failed: a reset, a rejected connect, a failed write. */
  aborted(): void;
}

/**
 * What a client cannot know of its connection. The judge decides with it whether the server is
 * wrong.
 */
export interface WireFacts {
  /** Faults that were injected into this connection. */
  readonly injected: readonly string[];
  /** When the server last received or sent bytes, and ended its side; NaN when unknown. */
  readonly serverActiveMs: number;
  /** When it last sent some. */
  readonly serverSentMs: number;
  readonly serverEndMs: number;
  /** How long it had been idle when it ended its side, without what the same poll returned. */
  readonly serverIdleMs: number;
  /**
   * When it aborted or closed the socket, how much the client had not acknowledged by then, and
   * when the client had last acknowledged something.
   */
  readonly serverDetachedMs: number;
  readonly serverUnacked: number;
  readonly serverAckedMs: number;
  /**
   * When the server received the first byte, and how many it had received when it ended its side.
   */
  readonly serverFirstMs: number;
  readonly serverReadAtEnd: number;
  /** The client's address as a server sees it, with its port. */
  readonly address: string;
  /** The server adopted this connection. */
  readonly adopted: boolean;
}

export interface Wire {
  readonly facts: WireFacts;
  /** Copies the bytes, and sends them when there is room. */
  write(bytes: Uint8Array): void;
  /** Ends the client's side. */
  end(): void;
  /** Closes in order; unread bytes are dropped. */
  close(): void;
  /** Sends a reset. */
  reset(): void;
  /** Reads nothing until resume(). */
  pause(): void;
  resume(): void;
  /** Reads at most `bytesMax` at once, with `pauseMs` between two reads. */
  pace(bytesMax: number, pauseMs: number): void;
}

/** The surroundings of a client: the simulation, or real time and sockets. */
export interface World {
  nowMs(): number;
  after(ms: number, run: () => void): void;
  connect(lane: number, events: WireEvents): Wire;
  /** How long the server was stopped so far, where that is known: it may be late by this much. */
  stalledMs(): number;
  note(lane: number, text: () => string): void;
}
