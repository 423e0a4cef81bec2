// Sends requests as a plan says: at once or split, with pauses, waiting for 100 (Continue), or in
// part where a mishap interrupts it.

import type { Wire, World } from '../world/wire.ts';
import type { Part, Planned } from './expected.ts';
import type { Flight } from './flight.ts';
import type { ClientPlan } from './plan.ts';

/** What a sender needs of its client. */
export interface SendingClient {
  readonly plan: ClientPlan;
  readonly world: World;
  readonly wire: Wire | null;
  sentBytes: number;
  mishapDone: boolean;
  began(planned: Planned, number: number): Flight;
  sentAll(): void;
  misbehave(): void;
}

export class Sender {
  readonly #client: SendingClient;
  readonly #wire: Wire;
  readonly #batch: readonly Planned[];
  readonly #firstNumber: number;
  #index = 0;
  #part = 0;
  #at = 0;
  #flight: Flight | null = null;
  #awaits = false;
  isOver = false;
  /** Bytes that are sent as one write. */
  #gathered: Uint8Array[] = [];

  constructor(client: SendingClient, wire: Wire, batch: readonly Planned[], firstNumber: number) {
    this.#client = client;
    this.#wire = wire;
    this.#batch = batch;
    this.#firstNumber = firstNumber;
  }

  start(): void {
    this.#run();
  }

  stop(): void {
    this.isOver = true;
    this.#gathered = [];
  }

  /** 100 (Continue) arrived. */
  continueReceived(): void {
    if (!this.#awaits) return;
    this.#awaits = false;
    this.#run(true);
  }

  #later(ms: number): void {
    this.#flush();
    this.#client.world.after(ms, () => {
      if (!this.isOver && this.#client.wire === this.#wire) this.#run(true);
    });
  }

  #run(paused = false): void {
    let waited = paused;
    while (!this.isOver) {
      if (this.#index === this.#batch.length) {
        this.isOver = true;
        this.#flush();
        this.#client.sentAll();
        this.#sendBytes();
        return;
      }
      const planned = this.#batch[this.#index];
      this.#flight ??= this.#client.began(planned, this.#firstNumber + this.#index);
      const part = planned.parts[this.#part];
      if (this.#at === 0 && !waited && part.awaitsContinue && !this.#awaits) {
        this.#awaits = true;
        this.#flush();
        return;
      }
      if (this.#at === 0 && !waited && part.pauseMs > 0) {
        this.#later(part.pauseMs);
        return;
      }
      waited = false;
      if (!this.#sendSome(planned, part)) return;
    }
  }

  /** Sends bytes of no request, though the server has announced the end. */
  #sendBytes(): void {
    const { byteEveryMs } = this.#client.plan;
    if (byteEveryMs === 0) return;
    this.#client.world.after(byteEveryMs, () => {
      if (this.#client.wire !== this.#wire) return;
      this.#wire.write(Buffer.from('x'));
      this.#sendBytes();
    });
  }

  /** Returns false when it continues later, or not at all. */
  #sendSome(planned: Planned, part: Part): boolean {
    const { plan } = this.#client;
    const flight = this.#flight;
    if (flight === null) return false;
    let most = part.bytes.length - this.#at;
    if (plan.send !== null) most = Math.min(most, plan.send.bytesMax);
    const { mishap } = plan;
    const isMishap = !this.#client.mishapDone && flight.number === mishap?.atRequest;
    if (isMishap) most = Math.min(most, mishap.afterBytes - flight.sentBytes);
    const bytes = part.bytes.subarray(this.#at, this.#at + most);
    this.#gathered.push(bytes);
    flight.sentBytes += most;
    this.#client.sentBytes += most;
    this.#at += most;
    const isWhole = this.#at === part.bytes.length;
    if (isWhole) {
      this.#part += 1;
      this.#at = 0;
    }
    const isNext = isWhole && this.#part === planned.parts.length;
    if (isNext) {
      this.#index += 1;
      this.#part = 0;
      this.#flight = null;
      if (!plan.batched) this.#flush();
    }
    if (isMishap && (isNext || flight.sentBytes >= mishap.afterBytes)) return this.#mishap();
    if (plan.send === null || this.#index === this.#batch.length) return true;
    this.#later(plan.send.pauseMs);
    return false;
  }

  #mishap(): boolean {
    this.#client.mishapDone = true;
    this.#flush();
    // A client that stops reading goes on sending.
    const goesOn = this.#client.plan.mishap?.kind === 'stop reading';
    if (!goesOn) this.stop();
    this.#client.misbehave();
    return goesOn && !this.isOver;
  }

  #flush(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    if (gathered.length === 1) this.#wire.write(gathered[0]);
    else if (gathered.length > 1) this.#wire.write(Buffer.concat(gathered));
  }
}
