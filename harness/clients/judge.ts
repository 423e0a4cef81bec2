// Decides whether what a client observes is correct. A response is compared with the expected one;
// an end without a response needs a reason: an injected fault, an act of the client itself, an
// expired deadline, a server that is full or closing. Without one it is a violation.

import { DRAIN_HEAD_MS } from '../../src/base/fixed-limits.ts';
import { type CheckName, Violation } from '../world/violation.ts';
import type { WireFacts } from '../world/wire.ts';
import type { Ending, PlainEnding } from './endings.ts';
import type { Expected, Planned } from './expected.ts';
import type { Flight } from './flight.ts';
import type { JudgeParts } from './judge-parts.ts';
import { isContentForHead, type JudgedClient } from './judged-client.ts';
import type { RawResponse } from './response-reader.ts';

/** The longest time without a byte: longer than any timeout of the server. */
export const PATIENCE_MS = 120_000;
/** Computed times differ by rounding to microseconds. */
const EARLY_MS = 0.01;
/** Longer than one turn of the server. */
const MOMENT_MS = 0.1;

export class Judge {
  readonly #parts: JudgeParts;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  failures(): number {
    return this.#parts.failures();
  }

  /** How often the time that a client has waited is checked. */
  get watchMs(): number {
    return PATIENCE_MS;
  }

  /** How long this client waits for the next byte. */
  patienceMs(_client: JudgedClient): number {
    return PATIENCE_MS;
  }

  #report(client: JudgedClient, check: CheckName, message: string): void {
    const { plan } = client;
    const text = `client ${plan.lane} (${plan.shape}): ${message}`;
    this.#parts.report(new Violation(check, text, plan.lane));
  }

  wrong(client: JudgedClient, message: string): void {
    if (!isContentForHead(client)) this.#report(client, 'response', message);
  }

  // --- Responses ---

  continued(client: JudgedClient): void {
    const flight = client.flights[0];
    const asked = flight?.planned.kind === 'expect' && !client.isWhole(flight);
    if (!asked) this.wrong(client, '100 (Continue) without Expect');
  }

  /** A response without a request: only from a server that is full. */
  unexpected(client: JudgedClient, response: RawResponse): boolean {
    client.last = response;
    return isTurnedAway(response) && client.onConnection === 0 && this.#isFull();
  }

  #isFull(): boolean {
    return this.#parts.wasFull();
  }

  responded(client: JudgedClient, flight: Flight, response: RawResponse): void {
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
    if (!expected.truncated) this.#compareClose(client, flight, response);
    if (planned.kind === 'never') this.#checkHandlerTimeout(client, flight);
  }

  #compareBody(client: JudgedClient, { planned }: Flight, response: RawResponse): void {
    const { expected, kind } = planned;
    const right = bodyOf(expected, client);
    if (response.whole === expected.truncated) {
      const what = response.whole ? 'complete, though its handler failed' : 'truncated';
      this.wrong(client, `${kind}: the response is ${what} after ${response.body.length} bytes`);
      return;
    }
    if (right === null) return;
    const { body } = response;
    const same = expected.truncated
      ? body.length <= right.length && Buffer.compare(body, right.subarray(0, body.length)) === 0
      : Buffer.compare(body, right) === 0;
    if (!same) {
      const at = firstDifference(body, right);
      const lengths = `${body.length} bytes, ${right.length} expected`;
      this.wrong(client, `${kind}: the content differs from byte ${at} on (${lengths})`);
    }
  }

  #compareClose(client: JudgedClient, flight: Flight, response: RawResponse): void {
    const { planned } = flight;
    const { close } = planned.expected;
    if (close === 'may' || (close === 'yes') === response.close) return;
    if (close === 'yes') {
      this.wrong(
        client,
        `${planned.kind}: the response does not announce the end of the connection`,
      );
      return;
    }
    const { requestsPerConnectionMax: max } = this.#parts;
    const isMax = max > 0 && client.responseCount + 1 === max;
    if (isMax || this.#isClosing(client)) return;
    // The rest of a body may be too long to wait for.
    if (!client.isWhole(flight) || hasBody(planned)) return;
    this.wrong(
      client,
      `${planned.kind}: the response announces the end of the connection without reason`,
    );
  }

  #checkHandlerTimeout(client: JudgedClient, flight: Flight): void {
    const { handlerTimeoutMs, slackMs } = this.#parts;
    const tookMs = client.world.nowMs() - flight.sentMs;
    if (tookMs < handlerTimeoutMs - EARLY_MS) {
      const given = `after ${tookMs.toFixed(3)} ms, not ${handlerTimeoutMs}`;
      this.#report(client, 'timeout', `the handler timed out early: ${given}`);
    }
    const lateMs = tookMs - handlerTimeoutMs - (client.world.stalledMs() - flight.stalledMs);
    // Its request may have waited behind others, for a block, or for the network.
    if (lateMs > slackMs + 20_000) {
      this.#report(client, 'timeout', `the handler timed out late: ${lateMs.toFixed(0)} ms`);
    }
  }

  /** Whether there is a reason for another response than the expected one. */
  #isExcused(client: JudgedClient, flight: Flight, response: RawResponse): boolean {
    const { planned } = flight;
    const { status } = response;
    if (this.#hasFailed(flight)) {
      if (!response.whole || [403, 404, 500, 503].includes(status)) return true;
    }
    if (!response.whole) return this.#mayBeTruncated(client, flight);
    if (status === 408 && response.close) {
      // Without faults a client that has ended its side is not waited for.
      if (client.plan.shape === 'probe' && planned.expected.status === 400) return false;
      return this.#checkSlow(client, flight);
    }
    if (status === 503 && response.close) {
      // A client that is turned away gets a Retry-After.
      if (isTurnedAway(response)) return client.responseCount === 0 && this.#isFull();
      const { handlerTimeoutMs } = this.#parts;
      const ownMs = client.world.nowMs() - flight.sentMs;
      return planned.kind !== 'never' && ownMs >= handlerTimeoutMs;
    }
    // The client ended its side within the request.
    return status === 400 && response.close && !client.isWhole(flight);
  }

  /** A file operation failed since the request was sent, and its handler reads files. */
  #hasFailed({ planned, failuresBefore }: Flight): boolean {
    return planned.usesFiles && this.failures() > failuresBefore;
  }

  /** The shortest time that the server waits for a body: for its next bytes, or for all of it. */
  get #bodyMs(): number {
    const { bodyTimeoutMs, bodyTotalTimeoutMs } = this.#parts;
    return Math.min(bodyTimeoutMs, bodyTotalTimeoutMs) - EARLY_MS;
  }

  /** 408: the client was slow. */
  #checkSlow(client: JudgedClient, flight: Flight): boolean {
    const { closingMs, headTimeoutMs } = this.#parts;
    const nowMs = client.world.nowMs(); // A closing server waits for less time.
    if (nowMs >= Math.max(closingMs(), flight.sentMs) + DRAIN_HEAD_MS - EARLY_MS) return true;
    const tookMs = nowMs - flight.sentMs;
    const leastMs = hasBody(flight.planned) ? Math.min(headTimeoutMs, this.#bodyMs) : headTimeoutMs;
    const given = `after ${tookMs.toFixed(3)} ms, not ${leastMs}`;
    if (tookMs < leastMs - EARLY_MS) this.#report(client, 'timeout', `408 early: ${given}`);
    return true;
  }

  // --- Ends ---

  #isClosing(client: JudgedClient): boolean {
    return client.world.nowMs() >= this.#parts.closingMs();
  }

  #isShutdownOver(client: JudgedClient): boolean {
    const { closingMs, shutdownTimeoutMs } = this.#parts;
    return client.world.nowMs() >= closingMs() + shutdownTimeoutMs - EARLY_MS;
  }

  /** Whether a fault was injected into this connection. */
  #hasInjectedFault(client: JudgedClient): boolean {
    return (client.wire?.facts.injected.length ?? 0) > 0;
  }

  #mayBeTruncated(client: JudgedClient, { planned, sentMs }: Flight): boolean {
    // A body timeout truncates a response that has begun, too.
    const tookMs = client.world.nowMs() - sentMs;
    if (responsesFromBody(planned) && tookMs >= this.#bodyMs) return true;
    return this.#hasInjectedFault(client) || this.#isShutdownOver(client) || client.stoppedReading;
  }

  /** The server ended its side. Returns the name of this end. */
  ended(client: JudgedClient): Ending {
    if (client.closing) return this.#closeNamed(client);
    if (this.#hasInjectedFault(client)) return 'injected fault';
    const outstanding = client.flights.length > 0;
    const ending = this.#endReason(client);
    if (ending === null) {
      const what = outstanding ? 'without a response' : 'between two requests';
      const known = this.#known(client);
      this.wrong(client, `the server ended the connection ${what}, without a reason (${known})`);
      return 'violation';
    }
    return ending;
  }

  /** The most important facts for the reader of a violation. */
  #known({ wire, respondedBytes, responseCount }: JudgedClient): string {
    if (wire === null) return 'no connection';
    const { serverEndMs, serverActiveMs, serverReadAtEnd } = wire.facts;
    const quietMs = (serverEndMs - serverActiveMs).toFixed(1);
    const bytes = `it had received ${serverReadAtEnd} bytes, ${respondedBytes} with a response`;
    return `${responseCount} responses; idle for ${quietMs} ms; ${bytes}`;
  }

  #closeNamed(client: JudgedClient): PlainEnding {
    const { last } = client;
    if (last !== null && isTurnedAway(last)) return 'turned away';
    if (last?.whole === false) return 'response truncated';
    return this.#isClosing(client) ? 'server closing' : 'Connection: close';
  }

  #endReason(client: JudgedClient): PlainEnding | null {
    const { facts } = client.wire ?? { facts: null };
    if (facts === null) return null;
    if (client.ownFault === 'end' || client.halfClosed) {
      if (client.flights.length === 0) return "client's end";
    }
    const tookMore = facts.serverReadAtEnd > client.respondedBytes;
    if (this.#isShutdownOver(client)) return 'shutdown timeout';
    // An unread body was too long to discard: requests behind it are lost.
    const lastKind = client.lastFlight?.planned.kind;
    if (lastKind === 'ignore' || lastKind === 'too large') return 'unread body';
    // The eviction of an idle connection may cross the next request.
    const atOnce = facts.serverEndMs - facts.serverActiveMs <= MOMENT_MS;
    if (tookMore && atOnce && this.#isFull()) return 'evicted';
    if (tookMore && client.flights.length > 0) return null;
    if (this.#isClosing(client)) return 'drained';
    return this.#idleReason(client);
  }

  /** An end between two requests: the idle timeout, or another client needs the slot. */
  #idleReason(client: JudgedClient): PlainEnding | null {
    const { idleTimeoutMs, slackMs } = this.#parts;
    const { facts } = client.wire ?? { facts: null };
    if (facts === null) return null;
    const quietMs = facts.serverEndMs - facts.serverActiveMs;
    if (!(quietMs < idleTimeoutMs - EARLY_MS - slackMs)) return 'idle';
    return this.#isFull() ? 'evicted' : null;
  }

  /** The connection failed. Returns the name of this end. */
  aborted(client: JudgedClient): Ending {
    const { facts } = client.wire ?? { facts: null };
    if (this.#hasInjectedFault(client)) {
      return facts?.injected.includes('rejected') === true ? 'connect rejected' : 'injected fault';
    }
    if (this.#isShutdownOver(client)) return 'shutdown timeout';
    if (this.#lingered(client) || this.#wasForcedOut(client)) {
      return client.closing ? 'reset after the last response' : 'data after the end';
    }
    if (this.#acknowledgedNothing(client)) {
      return client.stoppedReading ? 'stopped reading' : 'write timeout';
    }
    const [flight] = client.flights;
    if (flight?.planned.expected.truncated === true) return 'response truncated';
    if (flight !== undefined && this.#hasFailed(flight)) return 'response truncated';
    if (client.stoppedReading || client.plan.read !== null) return this.#resetEarly(client);
    const known = this.#known(client);
    this.wrong(client, `the server reset the connection without a reason (${known})`);
    return 'violation';
  }

  /**
   * The server ended its side and all of it arrived; then the client did not end its own side
   * within the linger timeout.
   */
  #lingered({ wire }: JudgedClient): boolean {
    if (wire === null) return false;
    const { serverAckedMs, serverEndMs, serverDetachedMs, serverUnacked } = wire.facts;
    const { lingerTimeoutMs, slackMs } = this.#parts;
    const fromMs = Math.max(serverEndMs, serverAckedMs);
    const isOver = !(serverDetachedMs - fromMs < lingerTimeoutMs - EARLY_MS - slackMs);
    return isOver && serverUnacked === 0;
  }

  /** An evicted connection may linger, unless all extra slots are in use. */
  #wasForcedOut({ wire }: JudgedClient): boolean {
    if (wire === null) return false;
    const { wasExhausted, overloadWaitMs } = this.#parts;
    return wasExhausted() && wire.facts.serverIdleMs >= overloadWaitMs;
  }

  /** This client acknowledged nothing for the write timeout. */
  #acknowledgedNothing({ wire, flights, world, stalledMs }: JudgedClient): boolean {
    if (wire === null) return false;
    const { serverUnacked } = wire.facts;
    // A server that was stopped finds the deadline expired before it sees the acknowledgement.
    const mayBeMore = flights.length > 0 || serverUnacked > 0 || world.stalledMs() !== stalledMs;
    const { writeTimeoutMs, slackMs } = this.#parts;
    return mayBeMore && !(quietMs(wire.facts) < writeTimeoutMs - EARLY_MS - slackMs);
  }

  #resetEarly(client: JudgedClient): Ending {
    const { facts } = client.wire ?? { facts: null };
    const quiet = facts === null ? 0 : quietMs(facts);
    const given = `after ${quiet.toFixed(3)} ms, not ${this.#parts.writeTimeoutMs}`;
    this.#report(client, 'timeout', `a slow reader was reset early: ${given}`);
    return 'violation';
  }

  /** The part of a response that arrived before the connection failed must be correct. */
  partial(client: JudgedClient, response: RawResponse): void {
    const flight = client.flights[0];
    if (flight === undefined) {
      this.wrong(client, 'part of a response without a request');
      return;
    }
    if (this.#isExcused(client, flight, { ...response, whole: true })) return;
    const { expected, kind } = flight.planned;
    const right = bodyOf(expected, client);
    const { body } = response;
    if (right === null || response.status !== expected.status) return;
    const same = Buffer.compare(body, right.subarray(0, body.length)) === 0;
    if (!same)
      this.wrong(client, `${kind}: the part that arrived differs from the expected response`);
  }

  /** No byte arrived for longer than any timeout. */
  timedOut(client: JudgedClient): void {
    const { flights, closing } = client;
    const waitsFor = closing
      ? 'the announced end'
      : flights.length > 0
        ? `a response to ${flights[0].planned.kind}`
        : 'the end of an idle connection';
    this.#report(client, 'liveness', `nothing arrives while it waits for ${waitsFor}`);
  }

  /** All retries of a request failed: without faults that must not happen. */
  triesExhausted(client: JudgedClient): void {
    const mayFail = !this.#parts.healed() || this.#isClosing(client) || this.#isFull();
    if (!mayFail) this.#report(client, 'liveness', 'all retries failed');
  }
}

/** How long a client had acknowledged nothing when the server aborted or closed the socket. */
function quietMs({ serverAckedMs, serverDetachedMs, serverSentMs }: WireFacts): number {
  return serverDetachedMs - Math.max(serverSentMs, serverAckedMs);
}

function bodyOf(expected: Expected, client: JudgedClient): Uint8Array | null {
  const { body } = expected;
  if (typeof body !== 'function') return body;
  return client.wire === null ? null : Buffer.from(body(client.wire.facts));
}

/** Garbage may begin as a request with a body. */
function hasBody({ kind, method }: Planned): boolean {
  return method === 'POST' || method === 'PUT' || kind === 'garbage';
}

/** Its handler responds with its body, chunk by chunk. */
function responsesFromBody(planned: Planned): boolean {
  return planned.kind === 'mirror' || (planned.kind === 'correct' && hasBody(planned));
}

function isTurnedAway({ status, close, fields }: RawResponse): boolean {
  return status === 503 && close && fields.some(([name]) => name === 'retry-after');
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  let at = 0;
  while (at < one.length && at < other.length && one[at] === other[at]) at += 1;
  return at;
}
