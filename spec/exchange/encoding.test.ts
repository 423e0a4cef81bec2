// The transport that encodes: what waits for its encoder counts as waiting.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContentStream } from '../../src/async-io/async-io.ts';
import { EncodingTransport } from '../../src/exchange/encoding.ts';
import type { Exchange, Transport } from '../../src/exchange/exchange.ts';

test('chunks that wait for the one before are waiting bytes', async () => {
  const sent: (() => void)[] = [];
  const inner = {
    waitingBytes: () => 7,
    write: () => new Promise<void>((resolve) => sent.push(resolve)),
  } as unknown as Transport;
  const encoder: ContentStream = {
    write: (bytes) => Promise.resolve(new Uint8Array(bytes.length)),
    finish: () => Promise.resolve(new Uint8Array(0)),
    close() {},
  };
  const transport = new EncodingTransport(inner, encoder, -1, () => {});
  const exchange = { services: { meter: null } } as Exchange;
  const written = [100, 200, 300].map((bytes) =>
    transport.write(exchange, new Uint8Array(bytes), true),
  );
  assert.equal(transport.waitingBytes(), 607);
  for (const bytes of [507, 307, 7]) {
    for (let turn = 0; sent.length === 0; turn++) {
      assert.ok(turn < 100, 'the next chunk is sent');
      await null;
    }
    sent.shift()?.();
    await written.shift();
    assert.equal(transport.waitingBytes(), bytes);
  }
});
