// Files that a program writes at the same time: bytes are taken when two reads in a row agree.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FileKind, type OpenFile } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { readAgreed } from '../../src/static/read-agreed.ts';

/** Each read finds the next of these contents, and then the last. */
class Changing extends NodeAsyncIo {
  reads = 0;
  readonly #contents: readonly string[];
  /** The most that one call returns. */
  readonly #bytesMax: number;

  constructor(contents: readonly string[], bytesMax = 100) {
    super();
    this.#contents = contents;
    this.#bytesMax = bytesMax;
  }

  override readNow(_file: number, into: Uint8Array, position: number): number {
    const content = this.#contents[Math.min(this.reads, this.#contents.length - 1)];
    const bytes = Buffer.from(content).subarray(position, position + this.#bytesMax);
    const count = Math.min(bytes.length, into.length);
    into.set(bytes.subarray(0, count));
    if (count === 0 || position + count === OPENED.stat.bytes) this.reads += 1;
    return count;
  }
}

const times = { modifiedMs: 1, changedMs: 1 };
const OPENED: OpenFile = {
  file: 3,
  stat: { kind: FileKind.File, bytes: 4, ...times, inode: 1, device: 1 },
};

function agreed(asyncIo: Changing): string | null {
  const bytes = readAgreed(asyncIo, OPENED);
  return bytes === null ? null : Buffer.from(bytes).toString();
}

it('two equal reads are enough', () => {
  const asyncIo = new Changing(['aaaa']);
  assert.equal(agreed(asyncIo), 'aaaa');
  assert.equal(asyncIo.reads, 2);
});

it('the first read is not taken when the second differs', () => {
  assert.equal(agreed(new Changing(['aabb', 'bbbb', 'bbbb'])), 'bbbb');
  assert.equal(agreed(new Changing(['aaaa', 'bbbb', 'aaaa', 'cccc', 'cccc'])), 'cccc');
});

it('reads in parts are one read', () => {
  assert.equal(agreed(new Changing(['aabb', 'bbbb'], 3)), 'bbbb');
});

it('content that differs in each read is not taken', () => {
  const asyncIo = new Changing(Array.from({ length: 100 }, (_, n) => String(1_000 + n)));
  assert.equal(agreed(asyncIo), null);
  assert.equal(asyncIo.reads, 8);
});

it('a file that has become shorter is not taken, one that has grown up to its length', () => {
  assert.equal(agreed(new Changing(['aaaa', 'aaa'])), null);
  assert.equal(agreed(new Changing(['aaa'])), null);
  assert.equal(agreed(new Changing(['aaaab', 'aaaabb'])), 'aaaa');
});
