// Responses with as many and as long fields as a handler may set, and with more.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RESPONSE_FIELD_BYTES_MAX, RESPONSE_FIELDS_MAX } from '../../src/base/fixed-limits.ts';
import type { Handler } from '../../src/exchange/handler.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Response } from '../../src/exchange/response.ts';
import { ConnectionFixture, get } from '../../testing/connection-fixture.ts';

interface Got {
  readonly text: string;
  /** How many fields have this name. */
  readonly counts: Map<string, number>;
  readonly log: readonly string[];
}

/** The lines of a handler's response; the connection must persist after it. */
async function got(handler: Handler): Promise<Got> {
  const fixture = new ConnectionFixture((request, response) =>
    request.path === '/next' ? response.text('next') : handler(request, response),
  );
  const client = fixture.open();
  const text = await client.ask(get('/'));
  const counts = new Map<string, number>();
  for (const line of text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n').slice(1)) {
    const name = line.slice(0, line.indexOf(':'));
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  assert.ok((await client.ask(get('/next'))).endsWith('next'), text.slice(0, 200));
  await fixture.end();
  return { text, counts, log: fixture.errorLines };
}

function fill(response: Response, count: number): void {
  for (let index = 0; index < count; index++) response.appendHeader('X-Many', index);
}

const OWN = ['Date', 'Content-Type', 'Content-Length'] as const;

describe('as many fields as there may be', () => {
  const responses: readonly (readonly [name: string, handler: Handler])[] = [
    ['text()', (_request, response) => response.text('hello')],
    ['send()', (_request, response) => response.send(new Uint8Array([104]))],
    ['json()', (_request, response) => response.json('h')],
  ];
  for (const [name, respond] of responses) {
    it(`are all sent by ${name}, with those of the server`, async () => {
      const { text, counts } = await got((request, response) => {
        fill(response, RESPONSE_FIELDS_MAX);
        return respond(request, response);
      });
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
      assert.equal(counts.get('X-Many'), RESPONSE_FIELDS_MAX);
      for (const own of OWN) assert.equal(counts.get(own), 1, own);
    });
  }

  it('are sent by a stream', async () => {
    const { counts } = await got(async (_request, response) => {
      fill(response, RESPONSE_FIELDS_MAX);
      await response.stream(['hello']);
    });
    assert.equal(counts.get('X-Many'), RESPONSE_FIELDS_MAX);
    assert.equal(counts.get('Transfer-Encoding'), 1);
  });

  it('leave room for an error response', async () => {
    const { text, counts, log } = await got((_request, response) => {
      fill(response, RESPONSE_FIELDS_MAX);
      throw new Error('broken');
    });
    assert.match(text, /^HTTP\/1\.1 500 /);
    assert.ok(text.endsWith('\r\n\r\nInternal Server Error\n'));
    assert.equal(counts.get('X-Many'), RESPONSE_FIELDS_MAX);
    assert.match(log.join(), /broken/);
  });
});

describe('more fields than there may be', () => {
  const TOO_MANY = new RegExp(`a response has ${RESPONSE_FIELDS_MAX} fields at most`);

  it('are an error of the handler: 500, and a log line', async () => {
    const { text, log } = await got((_request, response) => {
      fill(response, 1_000_000);
      response.text('hello');
    });
    assert.match(text, /^HTTP\/1\.1 500 /);
    assert.match(log.join(), TOO_MANY);
  });

  it('throw, and the handler may continue without them', async () => {
    const { text, counts } = await got((_request, response) => {
      assert.throws(() => fill(response, 1_000_000), TOO_MANY);
      assert.throws(() => response.header('X-Other', '1'), TOO_MANY);
      response.header('X-Many', 'one').header('X-Other', '1').text('hello');
    });
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.deepEqual([counts.get('X-Many'), counts.get('X-Other')], [1, 1]);
  });

  it('by beforeSend() and by prepared() are an error as well', async () => {
    for (const respond of [
      (response: Response) =>
        response.beforeSend((outgoing) => outgoing.appendHeader('X', '1')).text('hello'),
      (response: Response) => response.prepared(prepare(200, { 'X-Own': '1' }, 'hello')),
    ]) {
      const { text, log } = await got((_request, response) => {
        fill(response, RESPONSE_FIELDS_MAX);
        respond(response);
      });
      assert.match(text, /^HTTP\/1\.1 500 /);
      assert.match(log.join(), TOO_MANY);
    }
  });
});

describe('a long value', () => {
  it('of a megabyte is sent, in memory of its own', async () => {
    const value = 'v'.repeat(1_000_000);
    const { text } = await got((_request, response) => {
      response.header('X-Long', value).text('hello');
    });
    assert.ok(text.includes(`\r\nX-Long: ${value}\r\n`));
    assert.ok(text.endsWith('\r\n\r\nhello'));
  });

  it('that exceeds the limit of the fields is an error of the handler', async () => {
    const value = 'v'.repeat(RESPONSE_FIELD_BYTES_MAX - 1_000);
    const tooLong = new RegExp(`the fields of a response have ${RESPONSE_FIELD_BYTES_MAX} bytes`);
    for (const set of [
      (response: Response) => response.appendHeader('X-Other', value),
      (response: Response) => response.header('X-Long', `${value}${'v'.repeat(1_000)}`),
    ]) {
      const { text, log } = await got((_request, response) => {
        response.header('X-Long', value);
        set(response).text('hello');
      });
      assert.match(text, /^HTTP\/1\.1 500 /);
      assert.match(log.join(), tooLong);
    }
  });
});
