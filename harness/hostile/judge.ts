// The judge of the clients of the hostile application. Correct handlers give exactly the expected
// responses. Other requests may get any response, if it is well-formed and has no mark of another
// request. A denied request never gets a 2xx.

import type { Ending } from '../clients/endings.ts';
import type { Flight } from '../clients/flight.ts';
import { Judge, PATIENCE_MS } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import type { JudgedClient } from '../clients/judged-client.ts';
import type { RawResponse } from '../clients/response-reader.ts';
import { Violation } from '../world/violation.ts';
import { foreignIn, idsIn } from './marks.ts';
import type { Monitor } from './monitor.ts';

/** How long clients wait for the rest of a response that a hostile handler does not end. */
const MORE_MS = 8000;

export class HostileJudge extends Judge {
  readonly #report: JudgeParts['report'];
  readonly #monitor: Monitor;
  readonly #healed: () => boolean;
  readonly #closingMs: () => number;

  constructor(parts: JudgeParts, monitor: Monitor) {
    super(parts);
    this.#report = parts.report;
    this.#monitor = monitor;
    this.#healed = parts.healed;
    this.#closingMs = parts.closingMs;
  }

  #isolation(client: JudgedClient, text: string): void {
    const { lane, shape } = client.plan;
    const message = `client ${lane} (${shape}): ${text}`;
    this.#report(new Violation('isolation', message, lane));
  }

  override get watchMs(): number {
    return MORE_MS / 2;
  }

  /** Malformed bytes may be content of another request's response. */
  override wrong(client: JudgedClient, message: string): void {
    const { flights, reader } = client;
    const id = flights[0] === undefined ? -1 : idOfFlight(flights[0]);
    const foreign = reader.problem === null ? null : foreignIn(reader.rest, id);
    if (foreign !== null)
      this.#isolation(client, `${foreign} in the response to request ${id}: ${message}`);
    super.wrong(client, message);
  }

  override patienceMs(client: JudgedClient): number {
    return this.#mayGoOn(client) ? MORE_MS : PATIENCE_MS;
  }

  /** A hostile handler may never end a response that it has begun. */
  #mayGoOn(client: JudgedClient): boolean {
    const { flights, reader } = client;
    return (isHostile(flights[0]) && reader.isInBody) || mayFailBehindContent(client);
  }

  override continued(client: JudgedClient): void {
    const flight = client.flights[0];
    const asked = flight !== undefined && flight.planned.parts.at(-1)?.awaitsContinue === true;
    if (!asked) this.wrong(client, '100 (Continue) without Expect');
  }

  override responded(client: JudgedClient, flight: Flight, response: RawResponse): void {
    client.last = response;
    this.#scan(client, flight, response);
    const { kind } = flight.planned;
    if (kind === 'denied' && response.status < 300) {
      const text = `client ${client.plan.lane}: ${response.status} for a request that was denied`;
      this.#report(new Violation('guard', text, client.plan.lane));
    }
    if (this.#isTooEarly(client, flight, response)) return;
    if (kind !== 'hostile' && response.whole) {
      const { status, body } = response;
      // A closing server may reset connections.
      const isSure = this.#healed() && client.world.nowMs() < this.#closingMs();
      this.#monitor.received.set(idOfFlight(flight), { status, bytes: body.length, isSure });
    }
    if (kind !== 'hostile') super.responded(client, flight, response);
    else if (!response.whole) this.#monitor.count('response', 'cut');
    else this.#monitor.count('response', 'whole');
  }

  /** A correct handler that responds later got a 500: the server did not wait for it. */
  #isTooEarly({ plan }: JudgedClient, { planned }: Flight, { status }: RawResponse): boolean {
    if (planned.kind !== 'correct' || status !== 500 || planned.expected.status === 500)
      return false;
    const text = `client ${plan.lane}: ${status} before the handler responded`;
    if (planned.usesFiles) return false;
    this.#report(new Violation('later response', text, plan.lane));
    return true;
  }

  /** A response has no marks but those of its own request. */
  #scan(client: JudgedClient, flight: Flight, response: RawResponse): void {
    const id = idOfFlight(flight);
    const body = Buffer.from(response.body.buffer, response.body.byteOffset, response.body.length);
    const fields = [...response.fields, ...response.trailers].flat().join(' ');
    const foreign = foreignIn(fields, id) ?? foreignIn(body.toString('latin1'), id);
    if (foreign !== null) {
      const where = foreignIn(fields, id) === null ? 'content' : 'fields';
      const which = `the response to request ${id} (${flight.planned.kind})`;
      this.#isolation(client, `${which} has ${foreign} in its ${where}`);
    }
    const injected = response.fields.find(([name]) => name === 'x-injected');
    if (injected !== undefined) this.#isolation(client, `a field was injected into request ${id}`);
  }

  override partial(client: JudgedClient, response: RawResponse): void {
    const flight = client.flights[0];
    if (flight === undefined) {
      super.partial(client, response);
      return;
    }
    this.#scan(client, flight, response);
    if (!isHostile(flight)) super.partial(client, response);
  }

  override ended(client: JudgedClient): Ending {
    const isResponded = client.halfClosed && client.flights.length === 0;
    if (client.closing || isResponded) return super.ended(client);
    if (leftBody(client.lastFlight)) return 'unread body';
    const isTruncated = isHostile(client.flights[0]) || mayFailBehindContent(client);
    return isTruncated ? 'truncated by a handler' : super.ended(client);
  }

  override aborted(client: JudgedClient): Ending {
    if (client.ownFault === GAVE_UP) return 'given up by the client';
    if (leftBody(client.lastFlight)) return 'unread body';
    // A reset loses the end of earlier responses, too.
    const isTruncated = client.flights.some(isHostile) || mayFailBehindContent(client);
    return isTruncated ? 'truncated by a handler' : super.aborted(client);
  }

  override timedOut(client: JudgedClient): void {
    if (!this.#mayGoOn(client)) {
      super.timedOut(client);
      return;
    }
    client.ownFault = GAVE_UP;
    client.wire?.reset();
    client.aborted();
  }
}

const GAVE_UP = 'gave up';

function isHostile(flight: Flight | undefined): boolean {
  return flight?.planned.kind === 'hostile';
}

/** Its handler may have responded without reading the body, which ends the connection. */
function leftBody(flight: Flight | null): boolean {
  if (flight === null || flight.planned.parts.length === 1) return false;
  return isHostile(flight) || flight.planned.kind === 'denied';
}

/** A handler may fail after it has sent all of the declared length. */
function mayFailBehindContent({ last, lastFlight }: JudgedClient): boolean {
  const isLong = last?.fields.some(([name]) => name === 'content-length') ?? false;
  return isLong && isHostile(lastFlight ?? undefined);
}

function idOfFlight({ planned }: Flight): number {
  const head = Buffer.from(planned.parts[0].bytes).toString('latin1');
  return idsIn(head)[0];
}
