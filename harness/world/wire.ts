// A connection as a client sees it. The simulated network and real sockets both offer it, so that
// the same clients run over either.

/** What a client hears. */
export interface WireEvents {
  connected(): void;
  data(bytes: Uint8Array): void;
  /** The server's end of the stream. */
  ended(): void;
  /** The connection broke: a reset, a refusal, a failed write. */
  broke(): void;
}

/** What the world knows of a connection and its client cannot: it settles who is to blame. */
export interface WireFacts {
  /** Faults that were injected into this connection. */
  readonly injected: readonly string[];
  /** When the server last took or sent bytes here, and ended its side; NaN when unknown. */
  readonly serverActiveMs: number;
  /** When it last got rid of some. */
  readonly serverSentMs: number;
  readonly serverEndMs: number;
  /**
   * When it decided to let go of the connection altogether, what the client had not acknowledged by
   * then, and when the client had last acknowledged something.
   */
  readonly serverLeftMs: number;
  readonly serverUnacked: number;
  readonly serverAckedMs: number;
  /** When the server took the first byte, and how many it had taken when it ended its side. */
  readonly serverFirstMs: number;
  readonly serverReadAtEnd: number;
  /** The client's address as a server sees it, with its port. */
  readonly address: string;
  /** A server took this connection as its own. */
  readonly adopted: boolean;
}

export interface Wire {
  readonly facts: WireFacts;
  /** Takes a copy, and sends it when there is room. */
  write(bytes: Uint8Array): void;
  /** No more will be written. */
  end(): void;
  /** Lets go in order, and reads no more. */
  close(): void;
  /** Breaks off. */
  reset(): void;
  /** Reads nothing until resume(). */
  pause(): void;
  resume(): void;
  /** At most so many bytes at once, with so long between two reads. */
  pace(bytesMax: number, pauseMs: number): void;
}

/** The world that clients live in. */
export interface World {
  nowMs(): number;
  after(ms: number, run: () => void): void;
  connect(lane: number, events: WireEvents): Wire;
  /** How long the server was held up since `sinceMs`, when that is known: it may be so late. */
  heldUpMs(): number;
  note(lane: number, text: () => string): void;
}
