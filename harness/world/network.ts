// A network in memory: links between clients and one listening server, with latency, buffers of a
// size, half closes and resets, told to both ends as Linux tells it.

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

/** What the server's driver hears of a link that it has adopted. */
export interface ServerEnd {
  readable(): void;
  roomy(): void;
}

const LATENCIES_MS = [0.02, 0.02, 0.1, 0.5, 2, 20, 90];
const CAPACITIES = [1500, 4096, 16384, 65536, 262144];

export class Network {
  readonly options: NetworkOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly links: Link[] = [];
  /** Clients whose connection stands and that nobody has taken. */
  readonly backlog: Link[] = [];
  listening = false;
  backlogMax = 128;
  readonly latencyMs: number;
  /** Links that the server has taken and not let go of. */
  takenCount = 0;
  /** A client came to the backlog. */
  knocked: () => void = () => {};

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
      link.refuse();
      return;
    }
    this.backlog.push(link);
    link.connected();
    this.knocked();
  }

  /** The listener is gone, and with it whoever waited. */
  stop(): void {
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
  /** The server's side, once it was adopted. */
  server: ServerEnd | null = null;
  adopted = false;
  serverClosed = false;
  readonly injected: string[] = [];
  serverActiveMs: number = Number.NaN;
  serverEndMs: number = Number.NaN;
  serverSentMs: number = Number.NaN;
  serverFirstMs: number = Number.NaN;
  serverReadAtEnd = 0;
  serverLeftMs: number = Number.NaN;
  serverUnacked = 0;
  serverAckedMs: number = Number.NaN;
  /** Bytes that the reactor was given. */
  takenBytes = 0;
  readonly #network: Network;
  readonly #events: WireEvents;
  #unwritten: Uint8Array[] = [];
  #ending = false;
  #clientClosed = false;
  #clientTold = false;
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
    // Property by property: a spread would take longer than all the rest of this.
    this.up = new Pipe({
      schedule,
      faults,
      random,
      lane,
      latencyMs,
      capacity: random.pick(CAPACITIES),
      arrived: () => this.#arrivedUp(),
      roomy: () => this.#flush(),
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
      roomy: () => this.server?.roomy(),
      // Linux tells a sender of room when a third of its buffer is free.
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

  /** Nobody listens. */
  refuse(): void {
    this.injected.push('refused');
    this.serverClosed = true;
    this.#network.options.schedule.after(this.latencyMs, () => this.#broke());
  }

  #broke(): void {
    if (this.#clientTold || this.#clientClosed) return;
    this.#clientTold = true;
    this.#events.broke();
  }

  write(bytes: Uint8Array): void {
    if (this.#clientClosed || this.down.broken || bytes.length === 0) return;
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
    // Closing with unread bytes is a reset, as everywhere.
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
      // Whoever sends to somebody who is gone hears of it.
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
    if (this.#clientClosed || this.#clientTold || this.#paused) return;
    const { down } = this;
    if (down.arrivedBytes > 0) {
      const bytes = down.read(this.#readBytesMax);
      this.#network.options.trace.mix(2, this.id, bytes.length, this.#network.clock.nowMs * 1000);
      this.#events.data(bytes);
      this.#arrivedDown();
    } else if (down.broken) {
      this.#broke();
    } else if (down.ended) {
      this.#clientTold = true;
      this.#events.ended();
    }
  }

  // --- The server's side ---

  adopt(server: ServerEnd): void {
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
    this.#serverEnds();
    this.down.end();
  }

  #serverCloses(): void {
    this.server = null;
    if (this.adopted && !this.serverClosed) this.#network.takenCount -= 1;
    this.serverClosed = true;
    this.serverLeaves();
  }

  /** The server has decided to let go: what it could know of the client by then. */
  serverLeaves(): void {
    if (!Number.isNaN(this.serverLeftMs)) return;
    this.serverLeftMs = this.#network.clock.nowMs;
    this.serverUnacked = this.down.unacknowledged;
    this.serverAckedMs = this.down.ackedMs;
  }

  #serverEnds(): void {
    if (!Number.isNaN(this.serverEndMs)) return;
    this.serverEndMs = this.#network.clock.nowMs;
    this.serverReadAtEnd = this.takenBytes;
  }

  /** The server closed its socket. */
  serverClose(): void {
    this.#serverCloses();
    if (this.up.arrivedBytes > 0) {
      // Linux answers with a reset when bytes were left unread.
      this.serverReset();
      return;
    }
    this.serverEnd();
  }

  serverReset(): void {
    this.#serverCloses();
    this.#serverEnds();
    this.up.discard();
    this.down.reset();
  }

  /** Somebody in between breaks the connection for both. */
  breakOff(): void {
    this.injected.push('networkReset');
    this.up.reset();
    this.down.reset();
  }
}
