// Decides what may happen to a client. An answer is compared with the right one; an end without an
// answer needs a reason: a fault that was injected, what the client did itself, a deadline that is
// over, a server that is full or closes. Without one it is a violation.

import { type CheckName, Violation } from '../world/violation.ts';
import type { WireFacts } from '../world/wire.ts';
import type { Client } from './client.ts';
import type { Ending, PlainEnding } from './endings.ts';
import type { Expected, Planned } from './expected.ts';
import type { Flight } from './flight.ts';
import type { JudgeParts } from './judge-parts.ts';
import type { RawResponse } from './response-reader.ts';

/** So long nothing may come: beyond any timeout of a server here. */
export const PATIENCE_MS = 120_000;
/** Computed times differ by rounding to microseconds. */
const EARLY_MS = 0.01;
/** What happens within one turn of the server. */
const MOMENT_MS = 0.1;

export class Judge {
  readonly #parts: JudgeParts;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  failures(): number {
    return this.#parts.failures();
  }

  /** How often somebody looks whether a client has waited for too long. */
  get watchMs(): number {
    return PATIENCE_MS;
  }

  /** How long this client waits for the next byte. */
  patienceMs(_client: Client): number {
    return PATIENCE_MS;
  }

  #report(client: Client, check: CheckName, message: string): void {
    const { plan } = client;
    const text = `client ${plan.lane} (${plan.shape}): ${message}`;
    this.#parts.report(new Violation(check, text, plan.lane));
  }

  wrong(client: Client, message: string): void {
    this.#report(client, 'answer', message);
  }

  // --- Answers ---

  continued(client: Client): void {
    const flight = client.flights[0];
    const asked = flight?.planned.kind === 'expect' && !client.isWhole(flight);
    if (!asked) this.wrong(client, 'a 100 that was not asked for');
  }

  /** An answer without a request: only a server without room, or one that gives up waiting. */
  unasked(client: Client, response: RawResponse): boolean {
    client.last = response;
    return isTurnedAway(response) && client.onConnection === 0 && this.#isFull();
  }

  #isFull(): boolean {
    return this.#parts.wasFull();
  }

  respond(client: Client, flight: Flight, response: RawResponse): void {
    client.last = response;
    if (this.#isExcused(client, flight, response)) return;
    const { planned } = flight;
    const { expected } = planned;
    if (response.status !== expected.status) {
      this.wrong(client, `${planned.kind}: status ${response.status}, not ${expected.status}`);
      return;
    }
    for (const [name, value] of expected.fields) {
      const found = response.fields.find(([one]) => one === name)?.[1];
      if (found === value) continue;
      this.wrong(client, `${planned.kind}: ${name} is ${found ?? 'missing'}, not ${value}`);
    }
    this.#compareBody(client, flight, response);
    if (!expected.cut) this.#compareClose(client, flight, response);
    if (planned.kind === 'never') this.#checkHandlerTimeout(client, flight);
  }

  #compareBody(client: Client, { planned }: Flight, response: RawResponse): void {
    const { expected, kind } = planned;
    const right = bodyOf(expected, client);
    if (response.whole === expected.cut) {
      const what = response.whole ? 'whole, though its handler failed' : 'cut off';
      this.wrong(client, `${kind}: the answer is ${what} after ${response.body.length} bytes`);
      return;
    }
    if (right === null) return;
    const { body } = response;
    const same = expected.cut
      ? body.length <= right.length && Buffer.compare(body, right.subarray(0, body.length)) === 0
      : Buffer.compare(body, right) === 0;
    if (!same) {
      const at = firstDifference(body, right);
      const lengths = `${body.length} bytes, ${right.length} expected`;
      this.wrong(client, `${kind}: the content is another from byte ${at} on (${lengths})`);
    }
  }

  #compareClose(client: Client, flight: Flight, response: RawResponse): void {
    const { planned } = flight;
    const { close } = planned.expected;
    if (close === 'may' || (close === 'yes') === response.close) return;
    if (close === 'yes') {
      this.wrong(client, `${planned.kind}: the answer does not say that the connection ends`);
      return;
    }
    const { requestsPerConnectionMax: max } = this.#parts;
    const isMax = max > 0 && client.responseCount + 1 === max;
    if (isMax || this.#isClosing(client)) return;
    // A body that has not come by the time of its answer may be too much to wait for.
    if (!client.isWhole(flight) || hasBody(planned)) return;
    this.wrong(client, `${planned.kind}: the answer ends the connection without need`);
  }

  #checkHandlerTimeout(client: Client, flight: Flight): void {
    const { handlerTimeoutMs, slackMs } = this.#parts;
    const tookMs = client.world.nowMs() - flight.sentMs;
    if (tookMs < handlerTimeoutMs - EARLY_MS) {
      const given = `after ${tookMs.toFixed(3)} ms, not ${handlerTimeoutMs}`;
      this.#report(client, 'timeout', `the handler's time was over early: ${given}`);
    }
    const lateMs = tookMs - handlerTimeoutMs - (client.world.heldUpMs() - flight.heldUpMs);
    // Its request may have waited behind others, for a block, or for the network.
    if (lateMs > slackMs + 20_000) {
      this.#report(client, 'timeout', `the handler's time was over late: ${lateMs.toFixed(0)} ms`);
    }
  }

  /** Another answer than the right one, for a reason. */
  #isExcused(client: Client, flight: Flight, response: RawResponse): boolean {
    const { planned } = flight;
    const { status } = response;
    if (this.#hasFailed(flight)) {
      if (!response.whole || [403, 404, 500].includes(status)) return true;
    }
    if (!response.whole) return this.#mayBeCut(client, flight);
    if (status === 408 && response.close) {
      // Who broke off when all is well sends nothing more, and there is nothing to wait for.
      if (client.plan.shape === 'probe' && planned.expected.status === 400) return false;
      return this.#checkSlow(client, flight);
    }
    if (status === 503 && response.close) {
      // Whoever is turned away is told when to come again.
      if (isTurnedAway(response)) return client.responseCount === 0 && this.#isFull();
      const { handlerTimeoutMs } = this.#parts;
      const ownMs = client.world.nowMs() - flight.sentMs;
      return planned.kind !== 'never' && ownMs >= handlerTimeoutMs;
    }
    // A request that its client broke off.
    return status === 400 && response.close && !client.isWhole(flight);
  }

  /** A file that the answer needs could not be read. */
  #hasFailed({ planned, failuresBefore }: Flight): boolean {
    return planned.usesFiles && this.failures() > failuresBefore;
  }

  /** What the server waits for a body at least: for its next bytes, or for all of them. */
  get #bodyMs(): number {
    const { bodyTimeoutMs, bodyTotalTimeoutMs } = this.#parts;
    return Math.min(bodyTimeoutMs, bodyTotalTimeoutMs) - EARLY_MS;
  }

  /** 408: the client took its time. */
  #checkSlow(client: Client, flight: Flight): boolean {
    const { headTimeoutMs } = this.#parts;
    const tookMs = client.world.nowMs() - flight.sentMs;
    const leastMs = hasBody(flight.planned) ? Math.min(headTimeoutMs, this.#bodyMs) : headTimeoutMs;
    if (tookMs < leastMs - EARLY_MS) {
      const given = `after ${tookMs.toFixed(3)} ms, not ${leastMs}`;
      this.#report(client, 'timeout', `408 early: ${given}`);
    }
    return true;
  }

  // --- Ends ---

  #isClosing(client: Client): boolean {
    return client.world.nowMs() >= this.#parts.closingMs();
  }

  #isCutOff(client: Client): boolean {
    const { closingMs, shutdownTimeoutMs } = this.#parts;
    return client.world.nowMs() >= closingMs() + shutdownTimeoutMs - EARLY_MS;
  }

  /** Whether something other than the server may have broken this connection. */
  #isInjured(client: Client): boolean {
    return (client.wire?.facts.injected.length ?? 0) > 0;
  }

  #mayBeCut(client: Client, { planned, sentMs }: Flight): boolean {
    // A body that stays away ends an answer that has begun, too.
    const tookMs = client.world.nowMs() - sentMs;
    if (responsesFromBody(planned) && tookMs >= this.#bodyMs) return true;
    return this.#isInjured(client) || this.#isCutOff(client) || client.stoppedReading;
  }

  /** The server's side ended in order. Gives what to call this end. */
  ended(client: Client): Ending {
    if (client.closing) return this.#closeNamed(client);
    if (this.#isInjured(client)) return 'injected fault';
    const outstanding = client.flights.length > 0;
    const ending = this.#endReason(client);
    if (ending === null) {
      const what = outstanding ? 'without an answer' : 'between two requests';
      const known = this.#known(client);
      this.wrong(client, `the server ended the connection ${what}, without reason (${known})`);
      return 'violation';
    }
    return ending;
  }

  /** What a reader of a violation wants to know first. */
  #known({ wire, respondedBytes, responseCount }: Client): string {
    if (wire === null) return 'no connection';
    const { serverEndMs, serverActiveMs, serverReadAtEnd } = wire.facts;
    const quietMs = (serverEndMs - serverActiveMs).toFixed(1);
    const bytes = `it had taken ${serverReadAtEnd} bytes, ${respondedBytes} of them answered`;
    return `${responseCount} answers; quiet for ${quietMs} ms; ${bytes}`;
  }

  #closeNamed(client: Client): PlainEnding {
    const { last } = client;
    if (last !== null && isTurnedAway(last)) return 'turned away';
    if (last?.whole === false) return 'answer cut';
    return this.#isClosing(client) ? 'server closing' : 'Connection: close';
  }

  #endReason(client: Client): PlainEnding | null {
    const { facts } = client.wire ?? { facts: null };
    if (facts === null) return null;
    if (client.ownFault === 'end' || client.halfClosed) {
      if (client.flights.length === 0) return "client's end";
    }
    const tookMore = facts.serverReadAtEnd > client.respondedBytes;
    if (this.#isCutOff(client)) return 'cut off';
    // A body that nobody read was too long to skip: what stood behind it is lost.
    const lastKind = client.lastFlight?.planned.kind;
    if (lastKind === 'ignore' || lastKind === 'too large') return 'unread body';
    // An idle connection that makes room may lose what comes in that very moment.
    const atOnce = facts.serverEndMs - facts.serverActiveMs <= MOMENT_MS;
    if (tookMore && atOnce && this.#isFull()) return 'evicted';
    if (tookMore && client.flights.length > 0) return null;
    if (this.#isClosing(client)) return 'drained';
    return this.#idleReason(client);
  }

  /** An end between two requests: its time is over, exactly, or somebody else needs the place. */
  #idleReason(client: Client): PlainEnding | null {
    const { idleTimeoutMs, slackMs } = this.#parts;
    const { facts } = client.wire ?? { facts: null };
    if (facts === null) return null;
    const quietMs = facts.serverEndMs - facts.serverActiveMs;
    if (!(quietMs < idleTimeoutMs - EARLY_MS - slackMs)) return 'idle';
    return this.#isFull() ? 'evicted' : null;
  }

  /** The connection broke. Gives what to call it. */
  broke(client: Client): Ending {
    const { facts } = client.wire ?? { facts: null };
    if (this.#isInjured(client)) {
      return facts?.injected.includes('refused') === true ? 'refused' : 'injected fault';
    }
    if (this.#isCutOff(client)) return 'cut off';
    if (this.#lingered(client) || this.#isHurried(client)) {
      return client.closing ? 'reset after the last answer' : 'sent on after the end';
    }
    if (this.#tookNothing(client)) {
      return client.stoppedReading ? 'stopped reading' : 'write timeout';
    }
    const [flight] = client.flights;
    if (flight?.planned.expected.cut === true) return 'answer cut';
    if (flight !== undefined && this.#hasFailed(flight)) return 'answer cut';
    if (client.stoppedReading || client.plan.read !== null) return this.#givenUpEarly(client);
    const known = this.#known(client);
    this.wrong(client, `the server reset the connection without reason (${known})`);
    return 'violation';
  }

  /**
   * The server ended in order and all of that arrived; then it waited for the client, who went on
   * sending for too long.
   */
  #lingered({ wire }: Client): boolean {
    if (wire === null) return false;
    const { serverAckedMs, serverEndMs, serverLeftMs, serverUnacked } = wire.facts;
    const { lingerTimeoutMs, slackMs } = this.#parts;
    const fromMs = Math.max(serverEndMs, serverAckedMs);
    const isOver = !(serverLeftMs - fromMs < lingerTimeoutMs - EARLY_MS - slackMs);
    return isOver && serverUnacked === 0;
  }

  /** Who makes room is waited for, unless nobody else can come in meanwhile. */
  #isHurried({ wire }: Client): boolean {
    if (wire === null) return false;
    const { serverEndMs, serverActiveMs } = wire.facts;
    return this.#parts.wasCrowded() && serverEndMs - serverActiveMs >= this.#parts.overloadWaitMs;
  }

  /** This client acknowledged nothing for as long as a server waits for that. */
  #tookNothing({ wire, flights, world, heldUpMs }: Client): boolean {
    if (wire === null) return false;
    const { serverUnacked } = wire.facts;
    // A server that was held up finds the time over before it hears that the client took it all.
    const mayBeMore = flights.length > 0 || serverUnacked > 0 || world.heldUpMs() !== heldUpMs;
    const { writeTimeoutMs, slackMs } = this.#parts;
    return mayBeMore && !(quietMs(wire.facts) < writeTimeoutMs - EARLY_MS - slackMs);
  }

  #givenUpEarly(client: Client): Ending {
    const { facts } = client.wire ?? { facts: null };
    const quiet = facts === null ? 0 : quietMs(facts);
    const given = `after ${quiet.toFixed(3)} ms, not ${this.#parts.writeTimeoutMs}`;
    this.#report(client, 'timeout', `a slow reader was given up early: ${given}`);
    return 'violation';
  }

  /** What came of an answer before the connection broke must have been right. */
  partly(client: Client, response: RawResponse): void {
    const flight = client.flights[0];
    if (flight === undefined) {
      this.wrong(client, 'part of an answer nobody asked for');
      return;
    }
    if (this.#isExcused(client, flight, { ...response, whole: true })) return;
    const { expected, kind } = flight.planned;
    const right = bodyOf(expected, client);
    const { body } = response;
    if (right === null || response.status !== expected.status) return;
    const same = Buffer.compare(body, right.subarray(0, body.length)) === 0;
    if (!same) this.wrong(client, `${kind}: the part that came is not of the right answer`);
  }

  /** Nothing came for so long that nothing will come. */
  forgotten(client: Client): void {
    const { flights, closing } = client;
    const waitsFor = closing
      ? 'the end that was announced'
      : flights.length > 0
        ? `an answer to ${flights[0].planned.kind}`
        : 'the end of an idle connection';
    this.#report(client, 'liveness', `forgotten while it waits for ${waitsFor}`);
  }

  /** Tried again and again: a world without faults allows that to nobody. */
  givenUp(client: Client): void {
    const mayFail = !this.#parts.healed() || this.#isClosing(client) || this.#isFull();
    if (!mayFail) this.#report(client, 'liveness', 'has tried in vain');
  }
}

/** How long a client had taken nothing when the server let go of it. */
function quietMs({ serverAckedMs, serverLeftMs, serverSentMs }: WireFacts): number {
  return serverLeftMs - Math.max(serverSentMs, serverAckedMs);
}

function bodyOf(expected: Expected, client: Client): Uint8Array | null {
  const { body } = expected;
  if (typeof body !== 'function') return body;
  return client.wire === null ? null : Buffer.from(body(client.wire.facts));
}

/** Garbage may have one before the server sees what it is. */
function hasBody({ kind, method }: Planned): boolean {
  return method === 'POST' || method === 'PUT' || kind === 'garbage';
}

/** What its answer says comes from its body, piece by piece. */
function responsesFromBody(planned: Planned): boolean {
  return planned.kind === 'mirror' || (planned.kind === 'citizen' && hasBody(planned));
}

function isTurnedAway({ status, close, fields }: RawResponse): boolean {
  return status === 503 && close && fields.some(([name]) => name === 'retry-after');
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  let at = 0;
  while (at < one.length && at < other.length && one[at] === other[at]) at += 1;
  return at;
}
