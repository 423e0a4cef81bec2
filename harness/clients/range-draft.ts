// Requests for a range of a file that is cached, of one that is too large for the cache, or of one
// that is read for each request.

import type { Random } from '../../testing/random.ts';
import { fileBytes } from '../world/files.ts';
import type { Draft } from './draft.ts';

export function rangeDraft(random: Random): Draft {
  const target = random.pick(['/static/small.txt', '/static/large.bin', '/file/block.bin']);
  const all = fileBytes(target.replace(/^.[a-z]+/, '/site'));
  const from = random.below(all.length);
  const to = Math.min(from + random.below(99_000), all.length - 1);
  return {
    kind: 'range',
    target,
    fields: [`Range: bytes=${from}-${to}`],
    status: 206,
    response: all.subarray(from, to + 1),
    responseFields: [['content-range', `bytes ${from}-${to}/${all.length}`]],
    usesFiles: true,
    takesMs: 500,
  };
}
