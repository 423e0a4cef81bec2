// Gathered text: few writes, nothing lost, nothing out of order.

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { it } from 'node:test';
import { LineWriter } from '../../src/work/line-writer.ts';

class Recorder extends Writable {
  readonly writes: string[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString());
    done();
  }
}

function made(): { recorder: Recorder; writer: LineWriter } {
  const recorder = new Recorder();
  return { recorder, writer: new LineWriter(recorder) };
}

async function nextImmediate(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

it('lines of one turn are one write', async () => {
  const { recorder, writer } = made();
  for (let line = 0; line < 100; line++) writer.write(`line ${line}\n`);
  assert.deepEqual(recorder.writes, []);
  await nextImmediate();
  assert.equal(recorder.writes.length, 1);
  const expected = Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join('');
  assert.equal(recorder.writes[0], expected);
});

it('the next turn has a write of its own', async () => {
  const { recorder, writer } = made();
  writer.write('one\n');
  await nextImmediate();
  writer.write('two\n');
  await nextImmediate();
  await nextImmediate();
  assert.deepEqual(recorder.writes, ['one\n', 'two\n']);
});

it('much text does not wait for the turn to end', async () => {
  const { recorder, writer } = made();
  const line = `${'x'.repeat(999)}\n`;
  for (let count = 0; count < 100; count++) writer.write(line);
  const bytes = recorder.writes.join('').length;
  assert.ok(bytes > 64_000, `${bytes} bytes are written`);
  assert.ok(recorder.writes.length < 10);
  await nextImmediate();
  assert.equal(recorder.writes.join(''), line.repeat(100));
});

it('flush() writes at once, and only once', async () => {
  const { recorder, writer } = made();
  writer.flush();
  writer.write('one\n');
  writer.flush();
  assert.deepEqual(recorder.writes, ['one\n']);
  writer.write('two é€\n');
  await nextImmediate();
  await nextImmediate();
  assert.deepEqual(recorder.writes, ['one\n', 'two é€\n']);
});

it('no text is no write', async () => {
  const { recorder, writer } = made();
  writer.write('');
  await nextImmediate();
  assert.deepEqual(recorder.writes, []);
});
