// Parses the `expect` block of a case: lines of `key: value` in a fixed order.

import { LIMITS } from '../../src/base/limits.ts';
import { Fault, faultStatus } from '../../src/http/fault.ts';
import {
  CASE_LIMITS,
  type CaseLimits,
  type End,
  type Expected,
  type Message,
  type Pair,
  type Rule,
} from './case.ts';
import { decode } from './notation.ts';

/** The line's number within the block, from 0. */
interface Problem {
  readonly problem: string;
  readonly index: number;
}

export interface Expectation {
  readonly expected: Expected;
  readonly limits: CaseLimits;
  readonly choice: string | null;
  readonly rules: readonly (Omit<Rule, 'line'> & { readonly index: number })[];
}

interface Draft {
  readonly messages: Message[];
  end: End | null;
  limits: CaseLimits;
  choice: string | null;
  readonly rules: (Omit<Rule, 'line'> & { readonly index: number })[];
}

/** Keys in their order; those of a message repeat with each `accept`. */
const ORDER: ReadonlyMap<string, number> = new Map([
  ['accept', 0],
  ['path', 1],
  ['field', 2],
  ['body', 3],
  ['trailer', 4],
  ['status', 5],
  ['then', 6],
  ['fault', 7],
  ['incomplete', 7],
  ['limits', 8],
  ['choice', 9],
  ['rfc', 10],
]);
const REPEATED: readonly string[] = ['field', 'trailer', 'rfc'];
const LAST_OF_MESSAGE = 6;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

export function expectationFrom(lines: readonly string[]): Expectation | Problem {
  const draft: Draft = { messages: [], end: null, limits: {}, choice: null, rules: [] };
  let before = '';
  for (const [index, text] of lines.entries()) {
    const match = /^([a-z]+): (\S.*)$/.exec(text);
    if (match === null) return { index, problem: 'a line must be key, colon, space and value' };
    const [, key, value] = match;
    const problem = orderProblem(before, key) ?? read(draft, key, value, index);
    if (problem !== null) return { index, problem };
    before = key;
  }
  const index = lines.length - 1;
  const { messages, limits, choice, rules } = draft;
  if (messages.length === 0 && draft.end === null)
    return { index, problem: 'accept, fault or incomplete is missing' };
  if (rules.length === 0)
    return { index, problem: 'an rfc line with the tested sentence is missing' };
  const closes = messages.at(-1)?.closes === true;
  if (messages.slice(0, -1).some((message) => message.closes) || (closes && draft.end !== null)) {
    return { index, problem: 'nothing can follow a message that closes the connection' };
  }
  const end: End = draft.end ?? { kind: closes ? 'closed' : 'open' };
  return { expected: { messages, end }, limits, choice, rules };
}

function orderProblem(before: string, key: string): string | null {
  const rank = ORDER.get(key);
  if (rank === undefined) return `the key ${key} is unknown`;
  if (before === '')
    return key === 'accept' || rank === 7
      ? null
      : 'the first key must be accept, fault or incomplete';
  const rankBefore = ORDER.get(before) ?? 0;
  if (key === 'accept' && rankBefore <= LAST_OF_MESSAGE) return null;
  if (rank === rankBefore && !REPEATED.includes(key)) return `${key} must occur only once`;
  return rank >= rankBefore ? null : `${key} must be before ${before}`;
}

/** Adds one line to the draft; returns the problem with it, or null. */
function read(draft: Draft, key: string, value: string, index: number): string | null {
  switch (key) {
    case 'accept':
      return readAccept(draft, value);
    case 'fault':
      return readFault(draft, value);
    case 'incomplete':
      if (value !== '400') return 'the status of an incomplete message must be 400';
      draft.end = { kind: 'incomplete', status: 400 };
      return null;
    case 'limits':
      return readLimits(draft, value);
    case 'choice':
      if (value.length < 20) return 'a choice must have a reason of at least 20 characters';
      draft.choice = value;
      return null;
    case 'rfc':
      return readRule(draft, value, index);
    default:
      return readPart(draft, key, value);
  }
}

function readAccept(draft: Draft, value: string): string | null {
  const decoded = decode(value);
  if ('problem' in decoded) return decoded.problem;
  const match = /^(\S+) (\S+) HTTP\/(1\.[01])$/.exec(decoded.bytes);
  if (match === null) return 'accept: METHOD TARGET HTTP/1.1';
  const [, method, target, version] = match;
  const nothing = { fields: [], trailers: [], path: null, body: '', status: 200, closes: false };
  draft.messages.push({ method, target, version, ...nothing });
  return null;
}

/** Adds a part to the last message. */
function readPart(draft: Draft, key: string, value: string): string | null {
  const message = draft.messages.at(-1);
  if (message === undefined) return `${key} must follow an accept`;
  const change = (part: Partial<Message>): null => {
    draft.messages[draft.messages.length - 1] = { ...message, ...part };
    return null;
  };
  if (key === 'then') return value === 'close' ? change({ closes: true }) : 'then: close';
  if (key === 'status') {
    if (!/^[2-5][0-9]{2}$/.test(value) || value === '200')
      return 'status must be a code from 201 to 599';
    return change({ status: Number(value) });
  }
  if (key === 'path' && value === 'rejected') return change({ path: '', status: 400 });
  const decoded = decode(value);
  if ('problem' in decoded) return decoded.problem;
  const text = decoded.bytes;
  if (key === 'body') return change({ body: text });
  if (key === 'path') {
    const path = Buffer.from(text, 'latin1').toString('utf8');
    return path.startsWith('/') ? change({ path }) : 'a path must begin with /';
  }
  const pair = pairFrom(text);
  if (pair === null) return `${key}: name: value, the name in lower case`;
  if (key === 'field') return change({ fields: [...message.fields, pair] });
  return change({ trailers: [...message.trailers, pair] });
}

/** `name: value`, or `name:` for an empty one. */
function pairFrom(text: string): Pair | null {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon);
  if (colon < 0 || !TOKEN.test(name)) return null;
  const rest = text.slice(colon + 1);
  if (rest === '') return [name, ''];
  return rest.startsWith(' ') ? [name, rest.slice(1)] : null;
}

function readFault(draft: Draft, value: string): string | null {
  const [name, status, ...more] = value.split(' ');
  const fault = (Fault as Readonly<Record<string, Fault>>)[name];
  if (fault === undefined || more.length > 0) return 'fault: Name status, as in src/http/fault.ts';
  if (status !== String(faultStatus(fault))) return `${name} is ${faultStatus(fault)}`;
  draft.end = { kind: 'fault', fault, status: faultStatus(fault) };
  return null;
}

function readLimits(draft: Draft, value: string): string | null {
  const limits: Record<string, number> = {};
  for (const part of value.split(' ')) {
    const [, name, digits] = /^(\w+)=([0-9]+)$/.exec(part) ?? [];
    const known = CASE_LIMITS.find((limit) => limit === name);
    if (known === undefined) return `limits: name=number, of ${CASE_LIMITS.join(', ')}`;
    const { min, max, default: usual } = LIMITS[known];
    const number = Number(digits);
    if (number < min || number > max) return `${known} must be from ${min} to ${max}`;
    if (number === usual || limits[known] !== undefined)
      return `${known} must differ from its default and occur only once`;
    limits[known] = number;
  }
  draft.limits = limits;
  return null;
}

/** 9112 §6.1 "words", the words in ASCII except for the `…` that may end them. */
function readRule(draft: Draft, value: string, index: number): string | null {
  const match = /^([0-9]{4}) §([0-9]+(?:\.[0-9]+)*) "([^…]{8,})(…?)"$/.exec(value);
  if (match === null) return 'rfc: NUMBER §SECTION "its words"';
  const [, rfc, section, quote] = match;
  if (!/^[ -~]*$/.test(quote) || quote.trim() !== quote) return 'a quote must be plain ASCII';
  draft.rules.push({ rfc, section, quote, index });
  return null;
}
