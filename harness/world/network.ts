// A network in memory: links between clients and one listening server, with latency, bounded
// buffers, half closes and resets, which both ends observe as they do on Linux.

import { Random } from '../../testing/random.ts';
import type { Clock, Schedule } from './clock.ts';
import type { Faults } from './faults.ts';
import { Pipe } from './pipe.ts';
import type { Trace } from './trace.ts';
import type { Wire, WireEvents, WireFacts } from './wire.ts';

export interface NetworkOptions {
  readonly seed: number;
  readonly schedule: Schedule;
  readonly faults: Faults;
  readonly trace: Trace;
}

/** Events of an adopted link, for the server's driver. */
export interface ServerSide {
  readable(): void;
  roomAvailable(): void;
}

const LATENCIES_MS = [0.02, 0.02, 0.1, 0.5, 2, 20, 90];
const CAPACITIES = [1500, 4096, 16384, 65536, 262144];

export class Network {
  readonly options: NetworkOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly links: Link[] = [];
  /** Connected clients that the driver has not accepted. */
  readonly backlog: Link[] = [];
  listening = false;
  backlogMax = 128;
  readonly latencyMs: number;
  /** Links that the server has adopted and not closed. */
  takenCount = 0;
  /** A client was added to the backlog. */
  connectionQueued: () => void = () => {};

  constructor(options: NetworkOptions) {
    this.options = options;
    this.clock = options.schedule.clock;
    this.random = new Random(options.seed, 'network');
    this.latencyMs = this.random.pick(LATENCIES_MS);
  }

  connect(lane: number, events: WireEvents): Wire {
    const link = new Link(this, this.links.length, lane, events);
    this.links.push(link);
    this.options.schedule.after(link.latencyMs, () => this.#arrive(link));
    return link;
  }

  #arrive(link: Link): void {
    if (!this.listening || this.backlog.length >= this.backlogMax) {
      link.reject();
      return;
    }
    this.backlog.push(link);
    link.connected();
    this.connectionQueued();
  }

  /** Closes the listener, and resets the clients of the backlog. */
  stopListening(): void {
    this.listening = false;
    for (const link of this.backlog.splice(0)) link.serverReset();
  }
}

/** The address that a server sees of link `id`. */
export function peerOf(id: number): { readonly address: string; readonly port: number } {
  return { address: `10.0.${(id >> 8) & 255}.${id & 255}`, port: 1024 + (id % 60000) };
}

export class Link implements Wire, WireFacts {
  readonly id: number;
  readonly lane: number;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly latencyMs: number;
  /** The server's side, once the link is adopted. */
  server: ServerSide | null = null;
  adopted = false;
  serverClosed = false;
  readonly injected: string[] = [];
  serverActiveMs: number = Number.NaN;
  serverIdleMs: number = Number.NaN;
  serverEndMs: number = Number.NaN;
  serverSentMs: number = Number.NaN;
  serverFirstMs: number = Number.NaN;
  serverReadAtEnd = 0;
  serverDetachedMs: number = Number.NaN;
  serverUnacked = 0;
  serverAckedMs: number = Number.NaN;
  /** Bytes that the reactor has received. */
  takenBytes = 0;
  /** The last activity before that of `serverActiveMs`. */
  #activeBeforeMs: number = Number.NaN;
  readonly #network: Network;
  readonly #events: WireEvents;
  #unwritten: Uint8Array[] = [];
  #ending = false;
  #clientClosed = false;
  #endReported = false;
  #paused = false;
  #readScheduled = false;
  #readBytesMax = 65536;
  #readPauseMs = 0;

  constructor(network: Network, id: number, lane: number, events: WireEvents) {
    this.#network = network;
    this.#events = events;
    this.id = id;
    this.lane = lane;
    const { seed, schedule, faults } = network.options;
    const random = new Random(seed, `link ${lane} ${id}`);
    this.latencyMs = network.latencyMs * (0.5 + random.below(100) / 100);
    const { latencyMs } = this;
    const downCapacity = random.pick(CAPACITIES);
    // Listed one by one: a spread is slow.
    this.up = new Pipe({
      schedule,
      faults,
      random,
      lane,
      latencyMs,
      capacity: random.pick(CAPACITIES),
      arrived: () => this.#arrivedUp(),
      roomAvailable: () => this.#flush(),
      roomBytes: 1,
    });
    this.down = new Pipe({
      schedule,
      faults,
      random,
      lane,
      latencyMs,
      capacity: downCapacity,
      arrived: () => this.#arrivedDown(),
      roomAvailable: () => this.server?.roomAvailable(),
      // Linux reports a socket writable when a third of its buffer is free.
      roomBytes: Math.ceil(downCapacity / 3),
    });
  }

  get facts(): WireFacts {
    return this;
  }

  get address(): string {
    const { address, port } = peerOf(this.id);
    return `${address}:${port}`;
  }

  // --- The client's side ---

  connected(): void {
    if (this.#clientClosed) return;
    this.#events.connected();
  }

  /** No server listens, or its backlog is full. */
  reject(): void {
    this.injected.push('rejected');
    this.serverClosed = true;
    this.#network.options.schedule.after(this.latencyMs, () => this.#aborted());
  }

  #aborted(): void {
    if (this.#endReported || this.#clientClosed) return;
    this.#endReported = true;
    this.#events.aborted();
  }

  write(bytes: Uint8Array): void {
    if (this.#clientClosed || this.down.resetArrived || bytes.length === 0) return;
    this.#unwritten.push(bytes);
    this.#flush();
  }

  #flush(): void {
    const queue = this.#unwritten;
    while (queue.length > 0) {
      const { room } = this.up;
      if (room === 0) return;
      const first = queue[0];
      if (first.length <= room) {
        queue.shift();
        this.up.write(first);
      } else {
        queue[0] = first.subarray(room);
        this.up.write(first.subarray(0, room));
      }
    }
    if (this.#ending) this.up.end();
  }

  end(): void {
    this.#ending = true;
    this.#flush();
  }

  close(): void {
    if (this.#clientClosed) return;
    this.#clientClosed = true;
    this.#unwritten = [];
    // Closing with unread bytes resets the connection.
    if (this.down.arrivedBytes > 0) this.up.reset();
    else this.up.end();
    this.down.discard();
  }

  reset(): void {
    this.#clientClosed = true;
    this.#unwritten = [];
    this.up.reset();
    this.down.discard();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#arrivedDown();
  }

  pace(bytesMax: number, pauseMs: number): void {
    this.#readBytesMax = bytesMax;
    this.#readPauseMs = pauseMs;
  }

  #arrivedDown(): void {
    if (this.#clientClosed) {
      // Bytes for a closed socket cause a reset.
      if (this.down.arrivedBytes > 0) this.up.reset();
      this.down.discard();
      return;
    }
    if (this.#paused || this.#readScheduled || !this.down.readable) return;
    this.#readScheduled = true;
    this.#network.options.schedule.after(this.#readPauseMs, () => this.#read());
  }

  #read(): void {
    this.#readScheduled = false;
    if (this.#clientClosed || this.#endReported || this.#paused) return;
    const { down } = this;
    if (down.arrivedBytes > 0) {
      const bytes = down.read(this.#readBytesMax);
      this.#network.options.trace.mix(2, this.id, bytes.length, this.#network.clock.nowMs * 1000);
      this.#events.data(bytes);
      this.#arrivedDown();
    } else if (down.resetArrived) {
      this.#aborted();
    } else if (down.ended) {
      this.#endReported = true;
      this.#events.ended();
    }
  }

  // --- The server's side ---

  /** The server's socket was active. */
  noteActive(atMs: number): void {
    if (atMs > this.serverActiveMs) this.#activeBeforeMs = this.serverActiveMs;
    this.serverActiveMs = atMs;
  }

  adopt(server: ServerSide): void {
    this.adopted = true;
    this.server = server;
    this.#network.takenCount += 1;
  }

  #arrivedUp(): void {
    if (this.serverClosed) {
      if (this.up.arrivedBytes > 0) this.down.reset();
      this.up.discard();
      return;
    }
    this.server?.readable();
  }

  /** The end of the server's stream. */
  serverEnd(): void {
    this.#noteServerEnd();
    this.down.end();
  }

  #noteServerClose(): void {
    this.server = null;
    if (this.adopted && !this.serverClosed) this.#network.takenCount -= 1;
    this.serverClosed = true;
    this.serverDetaches();
  }

  /** The server aborts or closes the socket: notes what it could know of the client by then. */
  serverDetaches(): void {
    if (!Number.isNaN(this.serverDetachedMs)) return;
    this.serverDetachedMs = this.#network.clock.nowMs;
    this.serverUnacked = this.down.unacknowledged;
    this.serverAckedMs = this.down.ackedMs;
  }

  #noteServerEnd(): void {
    if (!Number.isNaN(this.serverEndMs)) return;
    const endMs = this.#network.clock.nowMs;
    this.serverEndMs = endMs;
    // The poll that the server evicts a client in may return its next bytes, too.
    this.serverIdleMs =
      endMs - (this.serverActiveMs < endMs ? this.serverActiveMs : this.#activeBeforeMs);
    this.serverReadAtEnd = this.takenBytes;
  }

  /** The server closed its socket. */
  serverClose(): void {
    this.#noteServerClose();
    if (this.up.arrivedBytes > 0) {
      // Linux sends a reset when bytes are left unread.
      this.serverReset();
      return;
    }
    this.serverEnd();
  }

  serverReset(): void {
    this.#noteServerClose();
    this.#noteServerEnd();
    this.up.discard();
    this.down.reset();
  }

  /** The network resets the connection for both ends. */
  resetBoth(): void {
    this.injected.push('networkReset');
    this.up.reset();
    this.down.reset();
  }
}
