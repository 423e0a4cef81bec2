// Found by the hostile application of the simulator: half-read bodies after a response, next() of a
// request whose client is gone, and streams that callbacks begin.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Handler, Next } from '../../src/exchange/handler.ts';
import type { Request } from '../../src/exchange/request.ts';
import { ConnectionFixture, get, post } from '../../testing/connection-fixture.ts';

describe('a body that is half read after its response', () => {
  it('has a deadline', async () => {
    const limits = { bodyTimeoutMs: 200, lingerTimeoutMs: 100 };
    const handler: Handler = (request, response) => {
      void request.body[Symbol.asyncIterator]().next();
      response.text('early');
    };
    const fixture = new ConnectionFixture(handler, { limits });
    const client = fixture.open();
    client.send(post('/', 8));
    await fixture.rest();
    client.send('12345');
    await fixture.rest();
    assert.match(await client.read(), /early$/);
    fixture.pass(199);
    await fixture.rest();
    assert.equal(client.isShut, false, 'the rest may still arrive');
    fixture.pass(1);
    await fixture.rest();
    assert.equal(client.isShut, true, 'a client that sends nothing more is not kept');
    await fixture.end();
  });
});

describe('next() of a request whose client is gone', () => {
  it('runs nothing once the middleware has settled', async () => {
    let kept: Next | null = null;
    let runs = 0;
    const fixture = new ConnectionFixture(() => {
      runs += 1;
    });
    fixture.group.use(async (request, response, next) => {
      kept = next;
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      response.status(403).text('no');
    });
    const client = fixture.open();
    client.send(get('/'));
    client.breakOff();
    await fixture.rest();
    const late = kept as Next | null;
    assert.ok(late !== null);
    await assert.rejects(late(), /after the response/);
    assert.equal(runs, 0, 'the guard passes nothing');
    await fixture.end();
  });

  it('still runs the rest for a middleware that has not settled', async () => {
    let runs = 0;
    const fixture = new ConnectionFixture(() => {
      runs += 1;
    });
    fixture.group.use(async (request, _response, next) => {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      await next();
    });
    const client = fixture.open();
    client.send(get('/'));
    client.breakOff();
    await fixture.rest();
    assert.equal(runs, 1);
    await fixture.end();
  });
});

describe('a stream that a beforeSend() callback begins', () => {
  it('is the response, and its source is ended with it', async () => {
    let ended = false;
    const quiet = new ReadableStream<Uint8Array>({
      cancel() {
        ended = true;
      },
    });
    const fixture = new ConnectionFixture((_request, response) => {
      response.beforeSend(() => {
        void response.stream(quiet);
      });
      assert.throws(() => response.json({}), /json\(\): stream\(\) is sending the response/);
    });
    const client = fixture.open();
    assert.equal(await client.ask(get('/')), '', 'the source has yielded nothing yet');
    client.breakOff();
    await fixture.rest();
    assert.equal(ended, true, 'it is not read any more');
    await fixture.end();
  });
});

describe('an iterator over a body that is kept beyond its request', () => {
  const type = 'Content-Type: multipart/form-data; boundary=b';
  const form = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nsecret\r\n--b--\r\n';
  const iterators = {
    chunks: (request: Request) => request.body[Symbol.asyncIterator](),
    parts: (request: Request) => request.parts()[Symbol.asyncIterator](),
  };
  for (const [what, iteratorOf] of Object.entries(iterators)) {
    it(`yields none of the ${what} of the next request`, async () => {
      const kept: AsyncIterator<unknown>[] = [];
      let text = '';
      const first: Handler = (request, response) => {
        kept.push(iteratorOf(request));
        response.text('first');
      };
      const second: Handler = async (request, response) => {
        for (const iterator of kept) {
          const read = iterator.next().then(({ value }) => value as unknown);
          // It may never end: its request is over.
          void read.then(
            (value) => assert.equal(value, undefined),
            () => {},
          );
        }
        text = await request.text();
        response.text('second');
      };
      // A handler that is not async does not keep its request by itself.
      const fixture = new ConnectionFixture((request, response) =>
        (request.path === '/first' ? first : second)(request, response),
      );
      const client = fixture.open();
      for (const target of ['/first', '/second', '/first', '/second']) {
        client.send(post(target, form.length, '', type));
        await fixture.rest();
        client.send(form);
        await fixture.rest();
        assert.match(await client.read(), new RegExp(`${target.slice(1)}$`), target);
        if (target === '/second') assert.equal(text, form);
        text = '';
      }
      await fixture.end();
    });
  }
});
