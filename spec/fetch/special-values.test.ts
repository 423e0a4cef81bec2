// fetchHandler(): values that few programs send: fields in other spellings, codings that are known
// in part, a scheme that is none, and reads of copies of a Request.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FetchOptions } from '../../src/fetch/handler.ts';
import { LeanRequest } from '../../src/fetch/request.ts';
import { LeanResponse } from '../../src/fetch/response.ts';
import { serving } from './fixtures/serving.ts';

const Lean = LeanResponse as unknown as typeof globalThis.Response;
const FORM_TYPE = 'application/x-www-form-urlencoded';

describe('a field of a Response', () => {
  it('Connection closes when one of its options is close, in any case', async () => {
    for (const [value, expected] of [
      ['close', 'close'],
      ['Close', 'close'],
      ['x,close', 'close'],
      ['keep-alive, CLOSE , x', 'close'],
      ['keep-alive', null],
      ['closed', null],
      ['x-close', null],
    ] as const) {
      for (const Kind of [Response, Lean]) {
        const { server } = serving(() => new Kind('a', { headers: { connection: value } }));
        const response = await server.inject();
        assert.equal(response.headers.get('connection'), expected, value);
      }
    }
  });

  it('Content-Encoding is left out only when fetch() decodes each of its codings', async () => {
    for (const [coding, isKept] of [
      ['x-gzip', false],
      ['BR,deflate', false],
      ['gzip, x-own', true],
      ['x-own, gzip', true],
    ] as const) {
      const { server } = serving(() => {
        const headers = { 'Content-Encoding': coding, 'Content-Length': isKept ? '4' : '3' };
        const response = new Response('four', { headers });
        Object.defineProperty(response, 'url', { value: 'http://upstream/' });
        return response;
      });
      const response = await server.inject();
      assert.equal(response.headers.get('content-encoding'), isKept ? coding : null, coding);
      assert.equal(response.headers.get('content-length'), '4');
    }
  });
});

describe('a lean Response', () => {
  it('is ok up to 299', () => {
    assert.deepEqual(
      [new Lean('', { status: 299 }).ok, new Lean('', { status: 300 }).ok],
      [true, false],
    );
  });

  it('has two fields whose names differ in their case', async () => {
    const headers: [string, string][] = [
      ['X-A', '1'],
      ['x-a', '2'],
      ['X-B', '3'],
    ];
    const { server } = serving(() => new Lean('', { headers }));
    const response = await server.inject();
    assert.deepEqual([response.headers.get('x-a'), response.headers.get('x-b')], ['1, 2', '3']);
  });

  it('knows that its stream was read in part', async () => {
    const stream = (): ReadableStream<Uint8Array> => {
      const chunks = [Buffer.from('a'), Buffer.from('b')];
      return new ReadableStream({
        pull: (controller) => controller.enqueue(chunks.shift() ?? Buffer.from('c')),
      });
    };
    const read = async (from: ReadableStream<Uint8Array>): Promise<void> => {
      const reader = from.getReader();
      await reader.read();
      reader.releaseLock();
    };
    const response = new Lean(stream());
    assert.ok(response.body !== null);
    assert.equal(response.bodyUsed, false);
    await read(response.body);
    assert.equal(response.bodyUsed, true);
    const begun = stream();
    await read(begun);
    assert.throws(() => new Lean(begun), TypeError, 'nothing locks it now');
  });
});

it('a Response of text whose body is being read elsewhere is a 500', async () => {
  for (const Kind of [Response, Lean]) {
    const { log, server } = serving(() => {
      const response = new Kind('text');
      response.body?.getReader();
      return response;
    });
    assert.equal((await server.inject()).status, 500);
    assert.match(log.join('\n'), /make a new Response|is locked/);
  }
});

it('a scheme() that returns no scheme is a 500 that says so', async () => {
  const late = (): Promise<never> => Promise.reject(new Error('late'));
  for (const scheme of [() => 'HTTPS', () => 'ftp', () => undefined, late]) {
    const options = { scheme } as unknown as FetchOptions;
    const { log, server } = serving(() => new Response(), {}, options);
    assert.equal((await server.inject()).status, 500);
    assert.match(log.join('\n'), /fetchHandler\(\): scheme\(\) returns one of http, https/);
  }
});

describe('a Request', () => {
  it('has no body after HEAD, whatever its client sends', async () => {
    let body: unknown;
    const { server } = serving((request) => {
      ({ body } = request);
      return new Response();
    });
    await server.inject({ method: 'HEAD', body: 'ignored' });
    assert.equal(body, null);
  });

  it('that was read has a body without content', async () => {
    const { server } = serving(async (request) => {
      await request.text();
      assert.ok(request.body instanceof ReadableStream);
      assert.equal(request.bodyUsed, true);
      assert.equal((await request.body.getReader().read()).done, true);
      return new Response('told');
    });
    const response = await server.inject({ method: 'POST', body: 'abc' });
    assert.equal(response.status, 200, await response.text());
  });

  /** What a clone is: Node's own Request with the limits of the server. */
  it('that is a clone has the type of its Blob, and one body', async () => {
    const found: unknown[] = [];
    const { server } = serving(async (request) => {
      const [one, other] = [request.clone(), request.clone()];
      const blob = await one.blob();
      found.push(blob.type, await blob.text());
      assert.equal((await other.formData()).get('a'), 'b');
      await assert.rejects(() => other.formData(), { name: 'TypeError', message: /unusable/ });
      await assert.rejects(() => other.text(), { name: 'TypeError', message: /unusable/ });
      // Also where its type is not one of a form.
      await request.text();
      await assert.rejects(() => request.formData(), TypeError);
      return new Response();
    });
    const headers = { 'Content-Type': FORM_TYPE };
    const response = await server.inject({ method: 'POST', headers, body: 'a=b' });
    assert.equal(response.status, 200);
    assert.deepEqual(found, [FORM_TYPE, 'a=b']);
    const { server: plain } = serving(async (request) => {
      const clone = request.clone();
      await clone.text();
      await assert.rejects(() => clone.formData(), { name: 'TypeError', message: /unusable/ });
      return new Response();
    });
    assert.equal((await plain.inject({ method: 'POST', body: 'a=b' })).status, 200);
  });

  it('whose stream is beyond the limit does not read the rest of it', async () => {
    const { server } = serving(
      async (request) => {
        if (request instanceof LeanRequest) assert.ok(request.body instanceof ReadableStream);
        const stream = request.body as ReadableStream<Uint8Array>;
        const cancelled: unknown[] = [];
        const reader = stream.getReader.bind(stream);
        Object.defineProperty(stream, 'getReader', {
          value: () => {
            const made = reader();
            const cancel = made.cancel.bind(made);
            made.cancel = (reason?: unknown) => {
              cancelled.push(reason);
              return cancel(reason);
            };
            return made;
          },
        });
        await assert.rejects(() => request.text(), { status: 413 });
        assert.equal(cancelled.length, 1);
        return new Response('told');
      },
      { bodyBytesMax: 4 },
    );
    const response = await server.inject({ method: 'POST', body: ['abc', 'def', 'ghi'] });
    assert.equal(response.status, 200, await response.text());
  });
});
