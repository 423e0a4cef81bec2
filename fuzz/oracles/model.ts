// Properties of a stream of requests, for any bytes: the parser reads what the independent model of
// spec/model/ reads, whatever the splits.

import { isDeepStrictEqual } from 'node:util';
import { modelStream } from '../../spec/model/model.ts';
import type { ModelLimits } from '../../spec/model/model-head.ts';
import { readStream } from '../../spec/model/subject.ts';
import { check, hashOf } from './check.ts';

export const STREAM_BYTES_MAX = 1_000;

/** Small, so that small inputs reach them. */
const LIMITS: ModelLimits = {
  headBytesMax: 300,
  targetBytesMax: 60,
  fieldsMax: 8,
  trailerBytesMax: 60,
  chunkExtensionBytesMax: 30,
};

export function checkStream(input: Uint8Array, thorough: boolean): void {
  const whole = readStream(input, LIMITS);
  const first = hashOf(input) % (input.length + 1);
  const cuts = thorough ? [...input.keys()] : [first];
  check(isDeepStrictEqual(readStream(input, LIMITS, cuts), whole), 'splits change nothing');
  const { messages, end } = modelStream(input, LIMITS);
  if (isDeepStrictEqual(whole, { messages, end })) return;
  check(false, `${JSON.stringify(whole)}, by the model ${JSON.stringify({ messages, end })}`);
}
