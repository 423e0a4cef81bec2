// Measures writing the head of an answer, with few fields and with more, and setting those fields.
// Run: node .ci/start.mjs perf/micro/encode.ts

import { AnswerFields } from '../../src/http/answer-fields.ts';
import { DateField } from '../../src/http/date.ts';
import { ConnectionField, encodeHead, headBytesBound, writeField } from '../../src/http/encode.ts';
import { best } from './timing.ts';

const ROUNDS = 60;
const CALLS = 20_000;
const CONTENT_BYTES = 1_234;

const FEW: readonly [string, string][] = [['Content-Type', 'text/plain; charset=utf-8']];
const MORE: readonly [string, string][] = [
  ['Content-Type', 'application/json; charset=utf-8'],
  ['Cache-Control', 'private, max-age=0, must-revalidate'],
  ['ETag', '"4d2-65a1b2c3d4e5-1a2b3c"'],
  ['Vary', 'Accept-Encoding'],
  ['X-Request-Id', 'b5a6c1f0-8d0e-4f5e-9a55-1f1d2c3b4a59'],
];

/** Somewhere in a slab, not at the start of memory. */
const target = new Uint8Array(65_536);
const at = 4_099;
const date = new DateField();
date.update(Date.now());
let sink = 0;

for (const pairs of [FEW, MORE]) {
  const fields = new AnswerFields();
  const fill = (): void => {
    fields.reset();
    for (const [name, value] of pairs) fields.set(name, name.toLowerCase(), value);
  };
  fill();
  const count = `${pairs.length} field${pairs.length === 1 ? '' : 's'}`;
  const end = encode(fields);
  if (end - at > headBytesBound(fields)) throw new Error('a head is longer than its bound');
  show(`encodeHead, ${count}, ${end - at} bytes`, () => encode(fields));
  show(`set and encodeHead, ${count}`, () => {
    fill();
    return encode(fields);
  });
}
const [[name, value]] = FEW;
const lineBytes = writeField(target, at, name, value) - at;
show(`writeField, ${lineBytes} bytes`, () => writeField(target, at, name, value));
if (sink === 0) throw new Error('nothing was written');

function encode(fields: AnswerFields): number {
  return encodeHead(target, at, 200, fields, date.bytes, CONTENT_BYTES, ConnectionField.None);
}

function show(what: string, run: () => number): void {
  const ns = best(ROUNDS, () => {
    for (let call = 0; call < CALLS; call++) sink += run();
    return CALLS;
  });
  console.log(`${what.padEnd(40)} ${ns.toFixed(0).padStart(5)} ns`);
}
