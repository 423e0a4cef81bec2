// Judges a response as a strict client does: by what RFC 9110 and RFC 9112 let a response say for
// its request, by what the connection does after it, and by the answer to the request behind it.

import { type Expected, isEmptyStatus } from '../spec/behaviour/fixtures/ways-to-respond.ts';
import type { RawClient } from './raw-client.ts';
import { type RawResponse, readResponse } from './raw-response.ts';

/** The versions of a request, and what it says of its connection. */
export const PERSISTENCES = ['1.1', '1.1 close', '1.0', '1.0 keep-alive'] as const;
export type Persistence = (typeof PERSISTENCES)[number];

/** One request and what should come of it. */
export interface Case {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly lines: readonly string[];
  readonly persistence: Persistence;
  /** The body of the request, whether it is framed by chunks, and whether it is worth skipping. */
  readonly body: string;
  readonly skipped: boolean;
  readonly expected: Expected;
  /** The request behind it is sent at once, or when the response has come. */
  readonly together: boolean;
}

/** RFC 9112 9.3: whether the request lets the connection live on. */
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

/** True when the connection has to end behind the response. */
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

/** What is wrong with a response, by itself. */
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
    yield 'a HEAD without the length that a GET has';
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

/** What a HEAD must have in common with a GET (RFC 9110 9.3.2). */
function comparable(response: RawResponse): string {
  const fields = response.fields.filter(([name]) => name !== 'Date');
  return `${response.status} ${JSON.stringify(fields)}`;
}

/** Sends requests on connections of its own, one after the other, and judges the responses. */
export class Lane {
  readonly #open: () => Promise<RawClient>;
  #client: RawClient | null = null;
  #sent = 0;
  /** What GET got, by the name of the case. */
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
    const behind = `GET /plain/${this.#sent} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
    const first = requestBytes(one);
    void client.send(one.together ? Buffer.concat([first, Buffer.from(behind)]) : first);
    if (one.expected.cut === true) return await cutFault(client, one);
    const response = await client.nextResponse(one.method);
    const faults = [...faultsOf(one, response), ...this.#headFaults(one, response)];
    if (faults.length > 0) return faults.join('; ');
    if (response.all('connection').includes('close')) {
      await client.endsCleanly();
      return null;
    }
    if (!one.together) void client.send(behind);
    const second = await client.nextResponse('GET');
    if (second.text !== `plain ${this.#sent}`) return `the next response is ${second.text}`;
    return client.rest.length > 0 ? 'bytes behind the last response' : null;
  }

  #headFaults(one: Case, response: RawResponse): string[] {
    const fields = comparable(response);
    if (one.method === 'GET') this.#gets.set(one.name, fields);
    const got = this.#gets.get(one.name);
    if (one.method !== 'HEAD' || got === undefined || got === fields) return [];
    return [`a HEAD gets ${fields}, a GET ${got}`];
  }

  close(): void {
    if (this.#client !== null) this.#drop(this.#client);
  }
}

/** A response that is cut ends its connection and does not look whole. */
async function cutFault(client: RawClient, one: Case): Promise<string | null> {
  const how = await client.ending();
  const isEnd = how === 'end';
  if (readResponse(client.rest, one.method, isEnd) !== null) return 'what was cut looks whole';
  return null;
}

/** Judges all cases on so many connections at once: a line for each that fails. */
export async function judgeAll(
  cases: readonly Case[],
  open: () => Promise<RawClient>,
  lanesMax: number,
): Promise<string[]> {
  const problems: string[] = [];
  const gets = new Map<string, string>();
  let next = 0;
  const work = async () => {
    const lane = new Lane(open, gets);
    while (next < cases.length) {
      const one = cases[next];
      next += 1;
      const problem = await lane.judge(one);
      if (problem !== null) problems.push(`${one.method} ${one.name}: ${problem}`);
    }
    lane.close();
  };
  await Promise.all(Array.from({ length: lanesMax }, work));
  return problems;
}
