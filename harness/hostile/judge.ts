// The judge of the clients of the hostile application. Citizens get exactly their answers, as ever.
// Of other requests the answer may be any, but it is an answer, and it names no other request; and
// who was turned away stays outside.

import type { Client } from '../clients/client.ts';
import type { Ending } from '../clients/endings.ts';
import type { Flight } from '../clients/flight.ts';
import { Judge, PATIENCE_MS } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import type { RawResponse } from '../clients/response-reader.ts';
import { Violation } from '../world/violation.ts';
import { foreignIn, idsIn } from './marks.ts';
import type { Watch } from './monitor.ts';

/** How long clients wait for more of an answer that its handler has begun, and does not end. */
const MORE_MS = 8000;

export class HostileJudge extends Judge {
  readonly #report: JudgeParts['report'];
  readonly #watch: Watch;
  readonly #healed: () => boolean;
  readonly #closingMs: () => number;

  constructor(parts: JudgeParts, watch: Watch) {
    super(parts);
    this.#report = parts.report;
    this.#watch = watch;
    this.#healed = parts.healed;
    this.#closingMs = parts.closingMs;
  }

  #isolation(client: Client, text: string): void {
    const { lane, shape } = client.plan;
    const message = `client ${lane} (${shape}): ${text}`;
    this.#report(new Violation('isolation', message, lane));
  }

  override get watchMs(): number {
    return MORE_MS / 2;
  }

  /** What came and is no answer may be what was written for another request. */
  override wrong(client: Client, message: string): void {
    const { flights, last, lastFlight, reader } = client;
    // Who sends a HEAD too slowly may be refused before the server can see that it is one.
    const isBehind = reader.problem !== null && last?.status === 408;
    if (isBehind && lastFlight?.planned.method === 'HEAD') return;
    const id = flights[0] === undefined ? -1 : idOfFlight(flights[0]);
    const foreign = reader.problem === null ? null : foreignIn(reader.rest, id);
    if (foreign !== null)
      this.#isolation(client, `${foreign} where request ${id} waits: ${message}`);
    super.wrong(client, message);
  }

  override patienceMs(client: Client): number {
    return this.#mayGoOn(client) ? MORE_MS : PATIENCE_MS;
  }

  /** An answer that its handler has begun has no end but the handler's, also a whole one. */
  #mayGoOn(client: Client): boolean {
    const { flights, reader } = client;
    return (isHostile(flights[0]) && reader.isInBody) || mayFailBehindContent(client);
  }

  override continued(client: Client): void {
    const flight = client.flights[0];
    const asked = flight !== undefined && flight.planned.parts.at(-1)?.awaitsContinue === true;
    if (!asked) this.wrong(client, 'a 100 that was not asked for');
  }

  override respond(client: Client, flight: Flight, response: RawResponse): void {
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
      // A closing server cuts connections off, whatever they carry.
      const isSure = this.#healed() && client.world.nowMs() < this.#closingMs();
      this.#watch.heard.set(idOfFlight(flight), { status, bytes: body.length, isSure });
    }
    if (kind !== 'hostile') super.respond(client, flight, response);
    else if (!response.whole) this.#watch.count('answer', 'cut');
    else this.#watch.count('answer', 'whole');
  }

  /** A handler that returned nothing was to answer later, and the server did not wait for it. */
  #isTooEarly({ plan }: Client, { planned }: Flight, { status }: RawResponse): boolean {
    if (planned.kind !== 'citizen' || status !== 500 || planned.expected.status === 500)
      return false;
    const text = `client ${plan.lane}: ${status} while the handler was about to answer`;
    if (planned.usesFiles) return false;
    this.#report(new Violation('later answer', text, plan.lane));
    return true;
  }

  /** Everything in an answer names its own request, or none. */
  #scan(client: Client, flight: Flight, response: RawResponse): void {
    const id = idOfFlight(flight);
    const body = Buffer.from(response.body.buffer, response.body.byteOffset, response.body.length);
    const fields = [...response.fields, ...response.trailers].flat().join(' ');
    const foreign = foreignIn(fields, id) ?? foreignIn(body.toString('latin1'), id);
    if (foreign !== null) {
      const where = foreignIn(fields, id) === null ? 'content' : 'fields';
      const which = `the answer to request ${id} (${flight.planned.kind})`;
      this.#isolation(client, `${which} has ${foreign} in its ${where}`);
    }
    const injected = response.fields.find(([name]) => name === 'x-injected');
    if (injected !== undefined) this.#isolation(client, `a field was injected into request ${id}`);
  }

  override partly(client: Client, response: RawResponse): void {
    const flight = client.flights[0];
    if (flight === undefined) {
      super.partly(client, response);
      return;
    }
    this.#scan(client, flight, response);
    if (!isHostile(flight)) super.partly(client, response);
  }

  override ended(client: Client): Ending {
    const isResponded = client.halfClosed && client.flights.length === 0;
    if (client.closing || isResponded) return super.ended(client);
    if (leftBody(client.lastFlight)) return 'unread body';
    const isCut = isHostile(client.flights[0]) || mayFailBehindContent(client);
    return isCut ? 'cut by a handler' : super.ended(client);
  }

  override broke(client: Client): Ending {
    if (client.ownFault === GAVE_UP) return 'given up by the client';
    if (leftBody(client.lastFlight)) return 'unread body';
    // What was sent of the answers before is lost, too.
    return client.flights.some(isHostile) ? 'cut by a handler' : super.broke(client);
  }

  override forgotten(client: Client): void {
    if (!this.#mayGoOn(client)) {
      super.forgotten(client);
      return;
    }
    client.ownFault = GAVE_UP;
    client.wire?.reset();
    client.broke();
  }
}

const GAVE_UP = 'gave up';

function isHostile(flight: Flight | undefined): boolean {
  return flight?.planned.kind === 'hostile';
}

/** Its handler may have answered without the body, which ends the connection. */
function leftBody(flight: Flight | null): boolean {
  if (flight === null || flight.planned.parts.length === 1) return false;
  return isHostile(flight) || flight.planned.kind === 'denied';
}

/** A handler may fail, or do nothing, when all of the length that it declared is sent. */
function mayFailBehindContent({ last, lastFlight }: Client): boolean {
  const isLong = last?.fields.some(([name]) => name === 'content-length') ?? false;
  return isLong && isHostile(lastFlight ?? undefined);
}

function idOfFlight({ planned }: Flight): number {
  const head = Buffer.from(planned.parts[0].bytes).toString('latin1');
  return idsIn(head)[0];
}
