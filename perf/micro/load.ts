// What an answer costs the load generator above the kernel: reading one, with its head remembered
// and not, and recording it. Run: node .ci/start.mjs perf/micro/load.ts

import { Recorder } from '../../src/load/recorder.ts';
import { HeadMemory, ResponseReader } from '../../src/load/response-reader.ts';
import { best } from './timing.ts';

const ROUNDS = 200;
const ANSWERS = 1_000;

const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n' +
    'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!',
);
const bytes = new Uint8Array(answer);
const view = new DataView(bytes.buffer);
const asked = { isHead: false, memory: new HeadMemory(), expected: null };
const reader = new ResponseReader();
const recorder = new Recorder(1);

function read(isRemembered: boolean): number {
  for (let count = 0; count < ANSWERS; count++) {
    if (!isRemembered) asked.memory.length = 0;
    reader.begin(asked);
    reader.read(bytes, view, 0, bytes.length);
    if (!reader.isWhole) throw new Error('the answer is whole');
  }
  return ANSWERS;
}

function record(): number {
  for (let count = 0; count < ANSWERS; count++) recorder.answered(0.1 + count / 1_000, 200, 0);
  return ANSWERS;
}

console.log(`Node ${process.version}`);
const lines: readonly [string, () => number][] = [
  ['an answer whose head is remembered', () => read(true)],
  ['an answer whose head is new', () => read(false)],
  ['a latency, recorded', record],
];
for (const [name, run] of lines) {
  console.log(`${name}: ${best(ROUNDS, run).toFixed(0)} ns`);
}
