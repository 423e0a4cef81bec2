// Measures what a response costs the load generator above the kernel: reading it, with its head
// known from before and not, recording its latency, and whole turns of a load.

import { do_not_optimize as keep } from 'mitata';
import { HeadMemory } from '../../src/load/head-memory.ts';
import { Load } from '../../src/load/load.ts';
import { prepareLoad } from '../../src/load/options.ts';
import { Recorder } from '../../src/load/recorder.ts';
import { ResponseReader } from '../../src/load/response-reader.ts';
import type { BenchCase } from '../bench/case.ts';
import { ReadyResponses } from '../load/ready-responses.ts';

const RESPONSE =
  'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n' +
  'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!';
const LATENCIES = 1_000;
const CONNECTIONS = 64;
const PIPELINED = 16;
/** The most that a load may last: a thousand million turns. */
const LONGEST_MS = 86_400_000;

export function loadCases(): readonly BenchCase[] {
  const recorder = new Recorder(1);
  let latency = 0;
  return [
    { name: 'a response with a known head', bytes: RESPONSE.length, run: reading(true) },
    { name: 'a response with a new head', bytes: RESPONSE.length, run: reading(false) },
    {
      name: 'record a latency',
      run: () => {
        latency = latency === LATENCIES ? 0 : latency + 1;
        recorder.responded(0.1 + latency / LATENCIES, 200, 0);
      },
    },
    { name: 'a request of a load', operations: CONNECTIONS, run: turns(1) },
    {
      name: `a request of a load, ${PIPELINED} at once`,
      operations: CONNECTIONS * PIPELINED,
      run: turns(PIPELINED),
    },
  ];
}

/** A load that never ends, above a driver that has every response at once. */
function turns(depth: number): () => void {
  const prepared = prepareLoad({
    url: 'http://127.0.0.1/',
    connections: CONNECTIONS,
    pipelining: depth,
    durationMs: LONGEST_MS,
  });
  if (!('requests' in prepared)) throw new Error(prepared.join('; '));
  const driver = new ReadyResponses(Buffer.from(RESPONSE), depth);
  const plan = { ...prepared, address: { host: '127.0.0.1', port: 80 } };
  const events = { counting: () => {}, counted: () => {}, secondEnded: () => {} };
  const load = new Load(plan, driver, driver.slab, events);
  load.start();
  load.turn();
  let before = load.recorder.responses;
  return () => {
    load.turn();
    const { errors, responses } = load.recorder;
    if (errors > 0 || responses - before > CONNECTIONS * depth) throw new Error('a wrong count');
    before = responses;
  };
}

function reading(isRemembered: boolean): () => void {
  const bytes = new Uint8Array(Buffer.from(RESPONSE));
  const view = new DataView(bytes.buffer);
  const asked = { isHead: false, memory: new HeadMemory(), expected: null };
  const reader = new ResponseReader();
  return () => {
    if (!isRemembered) asked.memory.forget();
    reader.begin(asked);
    keep(reader.read(bytes, view, 0, bytes.length));
    if (!reader.isComplete) throw new Error('the response is incomplete');
  };
}
