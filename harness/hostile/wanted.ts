// What has to occur in 1,000 runs with the hostile application: every word of its grammar.

import { HOSTILE_ENDINGS } from '../clients/endings.ts';
import { HOSTILE_KINDS } from '../clients/expected.ts';
import { HOSTILE_SHAPES } from '../clients/plan.ts';
import type { Wanted } from '../report/table.ts';
import { ALL_CALLS } from './context.ts';
import { BEHAVIOURS, KINDS, PARTS, PASSES, RETURNS, SOURCES, THROWS, WHENS } from './grammar.ts';

const LOOPS = [
  'response.write',
  'response.write of an empty chunk',
  'response.stream',
  'response.file',
  'request.bytes',
  'the next chunk of request.body',
  'next',
  'events.send',
  'events.comment',
  'an iterator of a body',
];

export const HOSTILE_WANTED: Wanted = {
  call: ALL_CALLS,
  when: WHENS,
  on: ['its own request', 'another request', 'all finished requests'],
  late: ['response', 'request', 'next', 'events', 'outgoing', 'chunks', 'fields'],
  kept: KINDS,
  throws: THROWS,
  returns: RETURNS,
  pass: PASSES,
  part: PARTS,
  source: SOURCES,
  loop: LOOPS,
  callback: ['beforeSend', 'afterSend', 'abort'],
  guard: ['guard/sync', 'guard/async', 'guard/timer'],
  behaviour: BEHAVIOURS,
  workload: [...HOSTILE_SHAPES, 'probe'],
  request: HOSTILE_KINDS,
  response: ['whole', 'cut'],
  'connection ends by': HOSTILE_ENDINGS,
  status: ['200', '204', '304', '403', '404', '409', '418', '500', '503'],
};
