// A client: carries out its plan over one connection after the other, and has the judge check every
// response and every end.

import type { Wire, WireEvents, World } from '../world/wire.ts';
import type { Ending } from './endings.ts';
import { bytesOf, type Planned } from './expected.ts';
import type { Flight, Scores } from './flight.ts';
import type { Judge } from './judge.ts';
import type { JudgedClient } from './judged-client.ts';
import type { ClientPlan } from './plan.ts';
import { type RawResponse, ResponseReader } from './response-reader.ts';
import { Sender, type SendingClient } from './sender.ts';

/** Tries of one request, over connections that end with a reason. */
const TRIES_MAX = 4;
const RECONNECT_MS = 7;

export class Client implements WireEvents, JudgedClient, SendingClient {
  readonly plan: ClientPlan;
  readonly world: World;
  readonly judge: Judge;
  readonly #scores: Scores;
  /** Called once, at the end of the plan. */
  readonly #done: (client: Client) => void;
  wire: Wire | null = null;
  reader: ResponseReader = new ResponseReader();
  readonly flights: Flight[] = [];
  /** Requests that have their response, or are given up. */
  finished = 0;
  #sentNumber = 0;
  onConnection = 0;
  /** Bytes of requests that were sent over this connection. */
  sentBytes = 0;
  /** The server has announced that this connection ends. */
  closing = false;
  connectedMs: number = Number.NaN;
  /** How long the server had been stopped when the last request began. */
  stalledMs = 0;
  /** What this client itself did to the connection. */
  ownFault: string | null = null;
  /** Responses that arrived over this connection. */
  responseCount = 0;
  /** The request of the last response. */
  lastFlight: Flight | null = null;
  last: RawResponse | null = null;
  halfClosed = false;
  #isDone = false;
  #tries = 0;
  #sender: Sender | null = null;
  #progressMs = 0;
  /** It read nothing for a while, on this connection. */
  stoppedReading = false;
  /** The mishap of the plan happened; it happens once. */
  mishapDone = false;

  constructor(
    plan: ClientPlan,
    world: World,
    judge: Judge,
    scores: Scores,
    done: (client: Client) => void,
  ) {
    this.plan = plan;
    this.world = world;
    this.judge = judge;
    this.#scores = scores;
    this.#done = done;
    scores.shapes.set(plan.shape, (scores.shapes.get(plan.shape) ?? 0) + 1);
  }

  start(): void {
    this.world.after(this.plan.startMs, () => this.#connect());
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  note(text: () => string): void {
    this.world.note(this.plan.lane, text);
  }

  #connect(): void {
    this.reader = new ResponseReader();
    this.flights.length = 0;
    this.#sentNumber = this.finished;
    this.onConnection = 0;
    this.sentBytes = 0;
    this.responseCount = 0;
    this.lastFlight = null;
    this.last = null;
    this.closing = false;
    this.ownFault = null;
    this.stoppedReading = false;
    this.halfClosed = false;
    this.connectedMs = Number.NaN;
    this.note(() => 'connects');
    const wire = this.world.connect(this.plan.lane, this);
    this.wire = wire;
    const { read } = this.plan;
    if (read !== null) wire.pace(read.bytesMax, read.pauseMs);
    this.#progressMs = this.world.nowMs();
    this.#watch(wire, this.judge.watchMs);
  }

  /** Reports a client that waits for longer than the judge allows. */
  #watch(wire: Wire, waitMs: number): void {
    this.world.after(waitMs, () => {
      if (wire !== this.wire) return;
      const leftMs = this.#progressMs + this.judge.patienceMs(this) - this.world.nowMs();
      // Times are rounded to microseconds.
      if (leftMs >= 0.001) this.#watch(wire, Math.min(leftMs, this.judge.watchMs));
      else this.judge.timedOut(this);
    });
  }

  // --- Sending ---

  connected(): void {
    this.connectedMs = this.world.nowMs();
    this.#sendMore();
  }

  #sendMore(): void {
    const { plan, wire } = this;
    if (wire === null || this.closing || this.halfClosed || this.#isDone) return;
    if (this.#sender !== null && !this.#sender.isOver) return;
    if (this.ownFault !== null || this.flights.length > 0) return;
    const left = Math.min(
      plan.depth,
      plan.requests.length - this.#sentNumber,
      plan.requestsPerConnection - this.onConnection,
    );
    if (left <= 0) return;
    const batch = plan.requests.slice(this.#sentNumber, this.#sentNumber + left);
    // Nothing follows a request that ends its connection.
    const last = batch.findIndex(({ isLast }) => isLast);
    if (last >= 0) batch.length = last + 1;
    this.#sentNumber += batch.length;
    this.onConnection += batch.length;
    this.#sender = new Sender(this, wire, batch, this.#sentNumber - batch.length);
    this.#sender.start();
  }

  /** The first byte of a request is sent. */
  began(planned: Planned, number: number): Flight {
    const flight: Flight = {
      planned,
      number,
      sentMs: this.world.nowMs(),
      sentBytes: 0,
      failuresBefore: this.judge.failures(),
      stalledMs: this.world.stalledMs(),
    };
    this.flights.push(flight);
    this.stalledMs = flight.stalledMs;
    this.reader.methods.push(planned.method);
    this.note(() => `sends ${planned.method} ${planned.kind}`);
    return flight;
  }

  /** All of a batch was sent. */
  sentAll(): void {
    const { plan } = this;
    if (plan.halfClose && this.#sentNumber === plan.requests.length) {
      this.halfClosed = true;
      this.note(() => 'half closes');
      this.wire?.end();
    }
  }

  /** The mishap of the plan happens. */
  misbehave(): void {
    const [mishap, wire] = [this.plan.mishap, this.wire];
    if (mishap === null || wire === null || this.ownFault !== null) return;
    this.ownFault = mishap.kind;
    this.note(() => `mishap: ${mishap.kind}`);
    if (mishap.kind === 'reset') {
      this.world.after(mishap.forMs, () => this.#reset(wire));
    } else if (mishap.kind === 'close') {
      wire.close();
      this.#finish('early close by the client');
    } else if (mishap.kind === 'stop sending') {
      this.#awaitEnd(wire, mishap.forMs);
    } else {
      wire.pause();
      this.stoppedReading = true;
      this.world.after(mishap.forMs, () => {
        if (this.wire !== wire) return;
        this.ownFault = null;
        this.#progressMs = this.world.nowMs();
        wire.resume();
        if (this.wire === wire && this.reader.isBetween) this.#next();
      });
    }
  }

  /** The server ends a connection whose client stops, counted from the first byte it receives. */
  #awaitEnd(wire: Wire, forMs: number): void {
    this.world.after(forMs, () => {
      if (this.wire !== wire) return;
      const { adopted, serverFirstMs } = wire.facts;
      const leftMs = adopted ? serverFirstMs + forMs - this.world.nowMs() : forMs;
      // Not a number where it is not known.
      if (leftMs >= 0.001) this.#awaitEnd(wire, leftMs);
      else this.judge.timedOut(this);
    });
  }

  #reset(wire: Wire): void {
    if (this.wire !== wire) return;
    wire.reset();
    this.#finish('early reset by the client');
  }

  // --- Receiving ---

  data(bytes: Uint8Array): void {
    if (this.#isDone || this.wire === null) return;
    this.#progressMs = this.world.nowMs();
    const { wire } = this;
    this.reader.push(bytes);
    // A response without a request is a violation, unless the judge expects it.
    for (let response = this.reader.next(); response !== undefined; response = this.reader.next()) {
      this.#responded(response);
      if (this.wire !== wire) return;
    }
    const { problem } = this.reader;
    if (problem !== null) this.judge.wrong(this, `the bytes are no response: ${problem}`);
  }

  #responded(response: RawResponse): void {
    if (response.status === 100) {
      this.judge.continued(this);
      this.#sender?.continueReceived();
      return;
    }
    const flight = this.flights.shift();
    this.note(() => `receives ${response.status}, ${response.body.length} bytes`);
    if (flight === undefined) {
      if (this.judge.unexpected(this, response)) {
        this.closing = true;
        return;
      }
      this.judge.wrong(this, `a response ${response.status} without a request`);
      return;
    }
    this.judge.responded(this, flight, response);
    this.#count(flight, response);
    this.responseCount += 1;
    this.lastFlight = flight;
    this.finished = flight.number + 1;
    this.#tries = 0;
    if (response.close) {
      this.closing = true;
      this.#sender?.stop();
      this.#sendAfterEnd();
      if (this.plan.leave === 'close') this.#leaveSoon();
      return;
    }
    this.#next();
  }

  #count(flight: Flight, response: RawResponse): void {
    const { responses, statuses } = this.#scores;
    this.#scores.responded += 1;
    responses.set(flight.planned.kind, (responses.get(flight.planned.kind) ?? 0) + 1);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }

  /** After a response: the next request, or the end. */
  #next(): void {
    const { plan } = this;
    if (this.flights.length > 0 || (this.#sender !== null && !this.#sender.isOver)) return;
    const isOver = this.finished === plan.requests.length;
    if (!isOver && this.onConnection < plan.requestsPerConnection) {
      const { wire } = this;
      if (plan.thinkMs === 0) this.#sendMore();
      else {
        this.world.after(plan.thinkMs, () => {
          if (this.wire === wire) this.#sendMore();
        });
      }
      return;
    }
    this.#leave();
  }

  #sendAfterEnd(): void {
    const { floodBytes } = this.plan;
    if (floodBytes > 0) this.wire?.write(new Uint8Array(floodBytes).fill(0x61));
  }

  #leaveSoon(): void {
    const { wire } = this;
    this.world.after(1, () => {
      if (this.wire === wire) this.#leave();
    });
  }

  #leave(): void {
    const { wire } = this;
    const { leave } = this.plan;
    if (wire === null) return;
    // Waits for the server to end its side: on its own, or after the client's end.
    if (leave === 'wait') this.ownFault ??= 'wait';
    else if (leave === 'end') {
      this.ownFault ??= 'end';
      wire.end();
    } else {
      if (leave === 'reset') wire.reset();
      else wire.close();
      this.#finish(`client's ${leave}`);
    }
  }

  ended(): void {
    if (this.#isDone || this.wire === null) return;
    this.note(() => 'receives the end');
    this.#finishReading();
    if (this.wire === null) return;
    const ending = this.judge.ended(this);
    this.wire.close();
    this.#finish(ending);
  }

  /** The end of the connection completes or truncates a response. */
  #finishReading(): void {
    const response = this.reader.end();
    if (response === null) return;
    const flight = this.flights.shift();
    if (flight === undefined) {
      this.judge.wrong(this, 'part of a response without a request');
      return;
    }
    this.judge.responded(this, flight, response);
    this.#count(flight, response);
    this.responseCount += 1;
    this.lastFlight = flight;
    this.finished = flight.number + 1;
    this.closing = true;
  }

  aborted(): void {
    if (this.#isDone || this.wire === null) return;
    this.note(() => 'receives a reset');
    const partial = this.reader.end();
    if (partial !== null) this.judge.partial(this, partial);
    const ending = this.judge.aborted(this);
    this.wire.close();
    this.#finish(ending);
  }

  /** This connection ended: opens the next one while requests are left. */
  #finish(ending: Ending): void {
    const { endings } = this.#scores;
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
    this.note(() => `over: ${ending}`);
    this.#sender?.stop();
    this.#sender = null;
    this.wire = null;
    const { plan } = this;
    if (this.ownFault !== null && plan.mishap?.kind === this.ownFault) {
      // The request of the mishap is not retried.
      this.finished = Math.max(this.finished, plan.mishap.atRequest + 1);
    }
    const last = this.flights.at(-1);
    if (!plan.retries && last !== undefined) this.finished = last.number + 1;
    this.#tries += 1;
    if (this.#tries > TRIES_MAX) {
      this.#tries = 0;
      this.judge.triesExhausted(this);
      this.finished += 1;
    }
    if (this.finished >= plan.requests.length) {
      this.#isDone = true;
      this.#done(this);
      return;
    }
    this.world.after(RECONNECT_MS * this.#tries, () => this.#connect());
  }

  /** Sent bytes of requests that have their response. */
  get respondedBytes(): number {
    return this.flights.reduce((left, { sentBytes }) => left - sentBytes, this.sentBytes);
  }

  /** True when every byte of the request was sent. */
  isWhole(flight: Flight): boolean {
    return flight.sentBytes === bytesOf(flight.planned);
  }
}
