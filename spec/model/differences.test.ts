// Vibing's parser compared with llhttp: only the listed differences occur.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesOf, seeded } from '../../testing/splits.ts';
import { ROOT } from '../tidy/tree.ts';
import { compare } from './compare.ts';
import { DIFFERENCES } from './differences.ts';
import { runs, streams } from './streams.ts';

/** The examples are for this version of llhttp; another one may have fewer differences. */
const LLHTTP = /^9\.3\./;

describe('the parser compared with llhttp', () => {
  it('has only the listed differences', (context) => {
    const property = fc.property(streams, ({ bytes }) => {
      const unlisted = compare(bytes).filter(({ id }) => id === '');
      assert.deepEqual(unlisted, []);
    });
    fc.assert(property, seeded(context, runs(3_000)));
  });

  const { llhttp = '' } = process.versions;
  const skip = LLHTTP.test(llhttp) ? false : `the examples are not for llhttp ${llhttp}`;
  for (const [name, { example }] of Object.entries(DIFFERENCES)) {
    it(`still differs in ${name}`, { skip }, () => {
      assert.deepEqual(
        compare(bytesOf(example)).map(({ id }) => id),
        [name],
      );
    });
  }

  it('accepts plain requests with equal parts', () => {
    const plain = 'POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nc';
    assert.deepEqual(compare(bytesOf(plain + plain)), []);
  });

  it('detects another end of a message', () => {
    // The difference connect-content shows that an early end is detected.
    const [found] = compare(
      bytesOf('CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na'),
    );
    assert.equal(found?.what, 'llhttp ends it too early');
  });
});

describe('spec/differences.md', () => {
  const text = readFileSync(join(ROOT, 'spec/differences.md'), 'utf8');

  it('lists the differences of the code, each in its section', () => {
    const headings = {
      stricter: 'rejects, llhttp',
      wider: 'accepts, llhttp',
      parts: 'Both accept',
    };
    for (const [direction, heading] of Object.entries(headings)) {
      const section = text.split('\n## ').find((one) => one.split('\n')[0].includes(heading)) ?? '';
      const named = [...section.matchAll(/^\| `([\w.-]+)` \|/gm)].map(([, name]) => name);
      const meant = Object.keys(DIFFERENCES).filter(
        (name) => DIFFERENCES[name].direction === direction,
      );
      assert.deepEqual(named.sort(), meant.sort());
    }
  });
});
