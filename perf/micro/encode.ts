// Measures encoding the head of a response, with few fields and with more, and setting the fields.

import { do_not_optimize as keep } from 'mitata';
import { ResponseCache, writeCached } from '../../src/connection/response-cache.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { DateField } from '../../src/http/date.ts';
import { ConnectionField, encodeHead, headBytesBound, writeField } from '../../src/http/encode.ts';
import { ResponseFields } from '../../src/http/response-fields.ts';
import type { BenchCase } from '../bench/case.ts';

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
const AT = 4_099;

export function encodeCases(): readonly BenchCase[] {
  const target = new Uint8Array(65_536);
  const date = new DateField();
  date.update(Date.now());
  const encode = (fields: ResponseFields): number =>
    encodeHead(target, AT, 200, fields, date.bytes, CONTENT_BYTES, ConnectionField.None);

  const cases = [FEW, MORE].flatMap((pairs) => {
    const fields = new ResponseFields();
    const fill = (): void => {
      fields.reset();
      for (const [name, value] of pairs) fields.set(name, name.toLowerCase(), value);
    };
    fill();
    const count = `${pairs.length} field${pairs.length === 1 ? '' : 's'}`;
    const bytes = encode(fields) - AT;
    if (bytes > headBytesBound(fields)) throw new Error('a head is longer than its bound');
    return [
      { name: `encodeHead, ${count}`, bytes, run: () => keep(encode(fields)) },
      {
        name: `set and encodeHead, ${count}`,
        bytes,
        run: () => {
          fill();
          keep(encode(fields));
        },
      },
      { name: `cached head, ${count}`, bytes, run: cachedRun(target, fields) },
    ];
  });
  const [[name, value]] = FEW;
  const bytes = writeField(target, AT, name, value) - AT;
  const run = (): void => keep(writeField(target, AT, name, value));
  return [...cases, { name: 'writeField', bytes, run }];
}

/** Looks a head up that the cache has, and writes it. */
function cachedRun(target: Uint8Array, fields: ResponseFields): () => void {
  const exchange = { fields, status: 200, keepAlive: true, head: { minor: 1 } } as Exchange;
  const cache = new ResponseCache();
  const now = Date.now();
  return () => {
    const cached = cache.find(exchange, now);
    if (cached !== null) keep(writeCached(target, AT, cached, CONTENT_BYTES));
  };
}
