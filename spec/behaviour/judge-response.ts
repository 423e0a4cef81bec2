// Checks a response as a strict client: by RFC 9110 and RFC 9112 for its request, by the state of
// the connection after it, and by the response to the next request.

import type { RawClient } from '../../testing/raw-client.ts';
import { type RawResponse, readResponse } from '../../testing/raw-response.ts';
import { type Expected, isEmptyStatus } from './ways.ts';

/** The version of a request and its Connection field. */
export const PERSISTENCES = ['1.1', '1.1 close', '1.0', '1.0 keep-alive'] as const;
export type Persistence = (typeof PERSISTENCES)[number];

/** A request and its expected response. */
export interface Case {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly lines: readonly string[];
  readonly persistence: Persistence;
  /** The body of the request, and whether the server reads or discards all of it. */
  readonly body: string;
  readonly skipped: boolean;
  readonly expected: Expected;
  /** The next request is sent together with this one, or after the response. */
  readonly together: boolean;
}

/** RFC 9112 9.3: whether the request allows a persistent connection. */
function asksToPersist(persistence: Persistence): boolean {
  return persistence === '1.1' || persistence === '1.0 keep-alive';
}

function isOld(persistence: Persistence): boolean {
  return persistence.startsWith('1.0');
}

/** How the content of the response must be framed (RFC 9112 6.3). */
function framingOf({ method, persistence, expected }: Case): RawResponse['framing'] {
  if (method === 'HEAD' || expected.status === 204 || expected.status === 304) return 'none';
  if (expected.known || expected.status === 205) return 'length';
  return isOld(persistence) ? 'close' : 'chunked';
}

/** True when the connection must end after the response. */
export function endsByItself(one: Case): boolean {
  const { persistence, skipped, expected } = one;
  if (!asksToPersist(persistence) || !skipped) return true;
  if (expected.closes === true || expected.cut === true) return true;
  const endsByClosing = isOld(persistence) && !expected.known && !isEmptyStatus(expected.status);
  return endsByClosing;
}

export function requestBytes(one: Case): Buffer {
  const [version, connection] = one.persistence.split(' ');
  const lines = [`${one.method} ${one.target} HTTP/${version}`, 'Host: a.test', ...one.lines];
  if (connection !== undefined) lines.push(`Connection: ${connection}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${one.body}`, 'latin1');
}

/** The faults of a response by itself. */
function* faultsOf(one: Case, response: RawResponse): Generator<string> {
  const { expected, method } = one;
  if (response.status !== expected.status)
    yield `status ${response.status}, not ${expected.status}`;
  const framing = framingOf(one);
  if (response.framing !== framing) yield `framed by ${response.framing}, not by ${framing}`;
  const isEmpty = isEmptyStatus(expected.status) || method === 'HEAD';
  const content = Buffer.from(isEmpty ? '' : expected.content);
  if (!response.body.equals(content)) {
    yield `${response.body.length} bytes of content, not ${content.length}`;
  }
  yield* lengthFaults(one, response);
  for (const [name, value] of Object.entries(expected.fields ?? {})) {
    if (response.field(name) !== value) yield `${name}: ${response.field(name)}, not ${value}`;
  }
  yield* dateFaults(response);
  const isClosing = endsByItself(one);
  const wanted = isClosing ? ['close'] : isOld(one.persistence) ? ['keep-alive'] : [];
  if (response.all('connection').join() !== wanted.join()) {
    yield `Connection: ${response.all('connection')}, not ${wanted}`;
  }
}

/** RFC 9110 8.6 and RFC 9112 6.1. */
function* lengthFaults(
  { expected, method, persistence }: Case,
  response: RawResponse,
): Generator<string> {
  const length = response.field('content-length');
  const { status } = expected;
  const wanted = status === 205 ? 0 : Buffer.byteLength(expected.content);
  if (length !== undefined && length !== String(wanted)) {
    if (method === 'HEAD' || status === 304 || status === 205) yield `a length of ${length}`;
  }
  if (method === 'HEAD' && expected.known && !isEmptyStatus(status) && length === undefined) {
    yield 'HEAD without the Content-Length of GET';
  }
  if (response.field('transfer-encoding') === undefined) return;
  if (isOld(persistence)) yield 'a transfer coding for HTTP/1.0';
  if (isEmptyStatus(status)) yield `a transfer coding with status ${status}`;
}

/** RFC 9110 6.6.1. */
function* dateFaults(response: RawResponse): Generator<string> {
  const dates = response.all('date');
  if (dates.length !== 1) {
    yield `${dates.length} Date fields`;
    return;
  }
  const apartMs = Math.abs(Date.now() - Date.parse(dates[0]));
  const isForm = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(dates[0]);
  if (!isForm || apartMs > 60_000) yield `Date: ${dates[0]}`;
}

/** What HEAD and GET must have in common (RFC 9110 9.3.2). */
function comparable(response: RawResponse): string {
  const fields = response.fields.filter(([name]) => name !== 'Date');
  return `${response.status} ${JSON.stringify(fields)}`;
}

/** Sends requests on its own connections, one after the other, and checks the responses. */
export class Lane {
  readonly #open: () => Promise<RawClient>;
  #client: RawClient | null = null;
  #sent = 0;
  /** Responses to GET, by the name of the case. */
  readonly #gets: Map<string, string>;

  constructor(open: () => Promise<RawClient>, gets: Map<string, string>) {
    this.#open = open;
    this.#gets = gets;
  }

  /** What is wrong with the response to a request and with what follows it; null when nothing. */
  async judge(one: Case): Promise<string | null> {
    this.#client ??= await this.#open();
    const client = this.#client;
    let problem: string | null;
    try {
      problem = await this.#exchange(client, one);
    } catch (error) {
      problem = error instanceof Error ? error.message.slice(0, 400) : String(error);
    }
    if (problem !== null || !client.isOpen) this.#drop(client);
    return problem;
  }

  #drop(client: RawClient): void {
    client.reset();
    this.#client = null;
  }

  async #exchange(client: RawClient, one: Case): Promise<string | null> {
    this.#sent += 1;
    const nextRequest = `GET /plain/${this.#sent} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
    const first = requestBytes(one);
    void client.send(one.together ? Buffer.concat([first, Buffer.from(nextRequest)]) : first);
    if (one.expected.cut === true) return await cutFault(client, one);
    const response = await client.nextResponse(one.method);
    const faults = [...faultsOf(one, response), ...this.#headFaults(one, response)];
    if (faults.length > 0) return faults.join('; ');
    if (response.all('connection').includes('close')) {
      await client.endsCleanly();
      return null;
    }
    if (!one.together) void client.send(nextRequest);
    const second = await client.nextResponse('GET');
    if (second.text !== `plain ${this.#sent}`) return `the next response is ${second.text}`;
    return client.rest.length > 0 ? 'bytes after the last response' : null;
  }

  #headFaults(one: Case, response: RawResponse): string[] {
    const fields = comparable(response);
    if (one.method === 'GET') this.#gets.set(one.name, fields);
    const got = this.#gets.get(one.name);
    if (one.method !== 'HEAD' || got === undefined || got === fields) return [];
    return [`HEAD gets ${fields}, GET ${got}`];
  }

  close(): void {
    if (this.#client !== null) this.#drop(this.#client);
  }
}

/** A truncated response ends its connection and must not be complete. */
async function cutFault(client: RawClient, one: Case): Promise<string | null> {
  const how = await client.ending();
  const isEnd = how === 'end';
  if (readResponse(client.rest, one.method, isEnd) !== null)
    return 'the truncated response is complete';
  return null;
}

/** Checks all cases on `lanesMax` connections at once; returns a line for each failed case. */
export async function judgeAll(
  cases: readonly Case[],
  open: () => Promise<RawClient>,
  lanesMax: number,
): Promise<string[]> {
  const problems: string[] = [];
  const gets = new Map<string, string>();
  let next = 0;
  const runLane = async () => {
    const lane = new Lane(open, gets);
    while (next < cases.length) {
      const one = cases[next];
      next += 1;
      const problem = await lane.judge(one);
      if (problem !== null) problems.push(`${one.method} ${one.name}: ${problem}`);
    }
    lane.close();
  };
  await Promise.all(Array.from({ length: lanesMax }, runLane));
  return problems;
}
