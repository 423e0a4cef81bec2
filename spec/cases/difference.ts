// The report of a failing case: its place, the splits of its bytes, the expected and the actual
// result.

import { Fault, faultStatus } from '../../src/http/fault.ts';
import type { Case, End, Expected, Message, Pair } from './case.ts';
import { encode } from './notation.ts';
import type { Outcome, ReadMessage } from './read-messages.ts';

/** Whether the outcome is the expected one; fast, because it nearly always is. */
export function agrees(expected: Expected, outcome: Outcome): boolean {
  const { messages, end } = expected;
  if (messages.length !== outcome.messages.length || end.kind !== outcome.end.kind) return false;
  if (end.kind === 'fault' && outcome.end.kind === 'fault' && end.fault !== outcome.end.fault) {
    return false;
  }
  return messages.every((message, index) => isSame(message, outcome.messages[index]));
}

function isSame(expected: Message, got: ReadMessage): boolean {
  return (
    expected.method === got.method &&
    expected.target === got.target &&
    expected.version === got.version &&
    (expected.path === null || expected.path === got.path) &&
    expected.body === got.body &&
    expected.closes === got.closes &&
    arePairs(expected.fields, got.fields) &&
    arePairs(expected.trailers, got.trailers)
  );
}

function arePairs(expected: readonly Pair[], got: readonly Pair[]): boolean {
  return (
    expected.length === got.length &&
    expected.every(([name, value], index) => name === got[index][0] && value === got[index][1])
  );
}

/** The report when they do not agree. */
export function difference(
  one: Case,
  how: string,
  splits: readonly number[],
  expected: Expected,
  outcome: Outcome,
): string {
  const wanted = [...expected.messages.map(describeExpected), describeEnd(expected.end)];
  const got = outcome.messages.map((message, index) => {
    const match = expected.messages[index];
    return describeRead(message, match === undefined || match.path !== null);
  });
  got.push(describeEnd(outcome.end));
  return report(one, how, splits, wanted, got);
}

export function report(
  one: Case,
  how: string,
  splits: readonly number[],
  wanted: readonly string[],
  got: readonly string[],
): string {
  return [
    `${one.file}:${one.line}: ${one.id}, ${how}, ${describeSplits(splits)}`,
    `  request:  ${encode(one.request)}`,
    ...wanted.map((line, index) => `${index === 0 ? '  expected: ' : '            '}${line}`),
    ...got.map((line, index) => `${index === 0 ? '  got:      ' : '            '}${line}`),
  ].join('\n');
}

function describeSplits(splits: readonly number[]): string {
  if (splits.length === 0) return 'unsplit';
  if (splits.length === 1) return `split at ${splits[0]}`;
  const everywhere = splits.every((split, index) => split === index + 1);
  return everywhere ? 'byte by byte' : `split at ${splits.join(', ')}`;
}

function describeExpected(message: Message): string {
  const { path } = message;
  return describeMessage(message, path, message.closes);
}

function describeRead(message: ReadMessage, withPath: boolean): string {
  return describeMessage(message, withPath ? message.path : null, message.closes);
}

function describeMessage(
  message: Omit<ReadMessage, 'path' | 'closes'>,
  path: string | null,
  closes: boolean,
): string {
  const { method, target, version, fields, body, trailers } = message;
  return [
    `${encode(method)} ${encode(target)} HTTP/${version}`,
    ...(path === null ? [] : [`path ${path === '' ? 'rejected' : path}`]),
    describePairs('fields', fields),
    `body ${JSON.stringify(encode(body))}`,
    ...(trailers.length === 0 ? [] : [describePairs('trailers', trailers)]),
    ...(closes ? ['closes'] : []),
  ].join('; ');
}

function describePairs(what: string, pairs: readonly Pair[]): string {
  return `${what} ${pairs.map(([name, value]) => `[${encode(name)}: ${encode(value)}]`).join('')}`;
}

export function describeEnd(end: End): string {
  if (end.kind !== 'fault') return end.kind;
  return `fault ${faultName(end.fault)} ${faultStatus(end.fault)}`;
}

function faultName(fault: number): string {
  const entry = Object.entries(Fault).find(([, number]) => number === fault);
  return entry?.[0] ?? String(fault);
}
