// Measures what a response costs the load generator above the kernel: reading it, with its head
// known from before and not, and recording its latency.

import { do_not_optimize as keep } from 'mitata';
import { Recorder } from '../../src/load/recorder.ts';
import { HeadMemory, ResponseReader } from '../../src/load/response-reader.ts';
import type { BenchCase } from '../bench/case.ts';

const RESPONSE =
  'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n' +
  'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!';
const LATENCIES = 1_000;

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
  ];
}

function reading(isRemembered: boolean): () => void {
  const bytes = new Uint8Array(Buffer.from(RESPONSE));
  const view = new DataView(bytes.buffer);
  const asked = { isHead: false, memory: new HeadMemory(), expected: null };
  const reader = new ResponseReader();
  return () => {
    if (!isRemembered) asked.memory.length = 0;
    reader.begin(asked);
    keep(reader.read(bytes, view, 0, bytes.length));
    if (!reader.isComplete) throw new Error('the response is incomplete');
  };
}
