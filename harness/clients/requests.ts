// Requests of every kind with their expected responses, drawn from a client's own stream.

import type { Random } from '../../testing/random.ts';
import { content, DIGEST_START, digest, HELLO, textOf } from '../world/content.ts';
import { fileBytes, MODIFIED_MS } from '../world/files.ts';
import { BadRequests } from './bad-requests.ts';
import type { Draft } from './draft.ts';
import type { Expected, Part, Planned, RequestKind } from './expected.ts';
import { rangeDraft } from './range-draft.ts';
import type { ServerFacts } from './server-facts.ts';

const TEXT: Expected['fields'] = [['content-type', 'text/plain; charset=utf-8']];

function part(bytes: Uint8Array, pauseMs = 0, awaitsContinue = false): Part {
  return { bytes, pauseMs, awaitsContinue };
}

const text = (value: string): Buffer => Buffer.from(value, 'latin1');

/** The handler returns the target after it has read the body: the head must still be there. */
function responseOfSum(target: string, bytes: Uint8Array): Buffer {
  const hash = digest(DIGEST_START, bytes);
  return text(JSON.stringify({ bytes: bytes.length, hash, target }));
}

export class Requests extends BadRequests {
  readonly #random: Random;
  readonly #facts: ServerFacts;
  readonly #lane: number;
  #number = 0;

  constructor(random: Random, facts: ServerFacts, lane: number) {
    super(random, facts);
    this.#random = random;
    this.#facts = facts;
    this.#lane = lane;
  }

  #make(draft: Draft): Planned {
    const { kind, target, minor = 1 } = draft;
    const method = draft.method ?? 'GET';
    const random = this.#random;
    this.#number += 1;
    const lines = [`${method} ${target} HTTP/1.${minor}`, 'Host: simulated'];
    const responseFields = [...(draft.responseFields ?? [])];
    const length = draft.body?.reduce((sum, { bytes }) => sum + bytes.length, 0) ?? 0;
    const chunked = draft.fields?.some((field) => field.startsWith('Transfer-Encoding')) ?? false;
    if (draft.body !== undefined && !chunked) lines.push(`Content-Length: ${length}`);
    if (random.chance(0.5)) {
      const id = `${this.#lane}.${this.#number}`;
      lines.push(`X-Id: ${id}`);
      responseFields.push(['x-id', id]);
    }
    if (random.chance(0.1)) lines.push(`X-Padding: ${'p'.repeat(random.size(700))}`);
    const { paddingBytes = 0 } = draft;
    if (paddingBytes > 0) lines.push(`X-Heavy: ${'h'.repeat(paddingBytes)}`);
    lines.push(...(draft.fields ?? []));
    const close = draft.close ?? (minor === 0 ? 'yes' : 'no');
    const head = text(`${lines.join('\r\n')}\r\n\r\n`);
    return {
      kind,
      method,
      parts: [part(head), ...(draft.body ?? [])],
      expected: {
        status: draft.status ?? 200,
        body: draft.response,
        fields: responseFields,
        close,
        truncated: draft.truncated ?? false,
      },
      usesFiles: draft.usesFiles ?? false,
      takesMs: draft.takesMs ?? 0,
      isLast: close === 'yes',
    };
  }

  #id(): number {
    return this.#random.below(60000);
  }

  /** A length: mostly small, sometimes near the size of a block. */
  #length(max: number): number {
    const random = this.#random;
    const edges = [0, 1, 8191, 8192, 8193, 17407, 17408, 17409];
    const length = random.chance(0.2) ? random.pick(edges) : random.size(max) - 1;
    return Math.min(length, max);
  }

  hello(): Planned {
    return this.#make({
      kind: 'hello',
      target: '/hello',
      response: text(HELLO),
      responseFields: TEXT,
    });
  }

  text(): Planned {
    const id = this.#id();
    const response = Buffer.from(textOf(id));
    return this.#make({ kind: 'text', target: `/text/${id}`, response });
  }

  /** A few of these fill a block, with their heads or their bodies. */
  bulky(): Planned {
    const id = this.#id();
    const paddingBytes = this.#random.between(2000, 3100);
    if (this.#random.chance(0.5)) return this.#sumOf('sum', '/sum', paddingBytes);
    const response = Buffer.from(textOf(id));
    return this.#make({ kind: 'text', target: `/text/${id}`, response, paddingBytes });
  }

  bytes(max: number = this.#facts.bodyBytesUsual): Planned {
    const id = this.#id();
    const length = this.#length(max);
    const target = `/bytes/${length}?id=${id}`;
    return this.#make({ kind: 'bytes', target, response: content(id, length) });
  }

  /** Larger than the buffers of most links. */
  large(): Planned {
    const id = this.#id();
    const length = this.#random.between(40_000, 120_000);
    const target = `/bytes/${length}?id=${id}`;
    return this.#make({ kind: 'bytes', target, response: content(id, length) });
  }

  head(): Planned {
    const length = this.#length(20000);
    const target = `/bytes/${length}?id=1`;
    const responseFields: Expected['fields'] = [['content-length', String(length)]];
    const response = text('');
    return this.#make({ kind: 'head', method: 'HEAD', target, response, responseFields });
  }

  params(): Planned {
    const id = this.#id();
    const response = text(JSON.stringify({ one: `a${id}`, two: 'b c', q: 'd&e' }));
    return this.#make({ kind: 'params', target: `/params/a${id}/b%20c?q=d%26e`, response });
  }

  peer(): Planned {
    return this.#make({ kind: 'peer', target: '/peer', response: ({ address }) => address });
  }

  /** A body in parts; with `chunked` each part is a chunk. */
  #body(bytes: Uint8Array, chunked: boolean, pauseMs: number): Part[] {
    const random = this.#random;
    const parts: Part[] = [];
    const partBytes = Math.max(1, random.size(Math.max(bytes.length, 1)), bytes.length >> 3);
    for (let at = 0; at < bytes.length; at += partBytes) {
      const slice = bytes.subarray(at, at + partBytes);
      const waitMs = parts.length > 0 && random.chance(0.5) ? pauseMs : 0;
      if (!chunked) parts.push(part(slice, waitMs));
      else {
        const extension = random.chance(0.1) ? ';name="value"' : '';
        const size = `${slice.length.toString(16)}${extension}\r\n`;
        parts.push(part(Buffer.concat([text(size), slice, text('\r\n')]), waitMs));
      }
    }
    if (chunked) parts.push(part(text(random.chance(0.2) ? '0\r\nX-T: 1\r\n\r\n' : '0\r\n\r\n')));
    return parts;
  }

  echo(chunked: boolean, max: number = this.#facts.bodyBytesUsual): Planned {
    const bytes = content(this.#id(), this.#length(Math.min(max, this.#facts.bodyBytesMax)));
    const fields = chunked ? ['Transfer-Encoding: chunked'] : [];
    const body = this.#body(bytes, chunked, this.#random.ms(0, 3));
    const kind = chunked ? 'echo chunked' : 'echo';
    return this.#make({ kind, method: 'POST', target: '/echo', fields, body, response: bytes });
  }

  /** Its handler reads at once, slowly, or after a while. */
  sum(how: '' | 'slow' | 'later'): Planned {
    const random = this.#random;
    const bytes = content(this.#id(), this.#length(this.#facts.bodyBytesUsual * 2));
    const chunked = random.chance(0.5);
    const fields = chunked ? ['Transfer-Encoding: chunked'] : [];
    const body = this.#body(bytes, chunked, random.ms(0, 3));
    const target = { '': '/sum', slow: '/sum?ms=4', later: '/sum?later=20' }[how];
    const response = responseOfSum(target, bytes);
    const kind = how === '' ? 'sum' : (`sum ${how}` as const);
    // A chunk may be one byte in the worst case, and the handler pauses for each.
    const takesMs = how === 'slow' ? 1000 : 20;
    return this.#make({ kind, method: 'POST', target, fields, body, response, takesMs });
  }

  /** Its handler begins to read when all but the last byte may have arrived. */
  late(): Planned {
    return this.#sumOf('sum later', '/sum?later=20', 1000);
  }

  #sumOf(kind: RequestKind, target: string, length: number): Planned {
    const bytes = content(this.#id(), length);
    const response = responseOfSum(target, bytes);
    return this.#make({ kind, method: 'POST', target, body: [part(bytes)], response, takesMs: 20 });
  }

  /** Its handler reads one chunk of a body that is too long to buffer, and waits. */
  hold(): Planned {
    const { handlerTimeoutMs: takesMs } = this.#facts;
    const body = [part(content(this.#id(), 60_000))];
    const rest = { status: 503, response: null, close: 'yes', takesMs } as const;
    return this.#make({ kind: 'hold', method: 'POST', target: '/hold', body, ...rest });
  }

  /** Its handler sends the body back, chunk by chunk. */
  mirror(): Planned {
    const bytes = content(this.#id(), this.#length(this.#facts.bodyBytesUsual * 2));
    const fields = ['Transfer-Encoding: chunked'];
    const body = this.#body(bytes, true, this.#random.ms(0, 3));
    const target = '/mirror';
    return this.#make({ kind: 'mirror', method: 'POST', target, fields, body, response: bytes });
  }

  ignore(): Planned {
    const bytes = content(this.#id(), this.#length(this.#facts.bodyBytesUsual));
    const chunked = this.#random.chance(0.5);
    const fields = chunked ? ['Transfer-Encoding: chunked'] : [];
    const later = this.#random.chance(0.5);
    const body = this.#body(bytes, chunked, later ? 4 : 0);
    const response = text('ignored\n');
    const isMuch = bytes.length > this.#facts.discardBytesMax;
    const close = isMuch ? 'may' : 'no';
    const target = later ? '/ignore/later' : '/ignore';
    return this.#make({ kind: 'ignore', method: 'POST', target, fields, body, response, close });
  }

  /** Sends its body after 100 (Continue). */
  expect(): Planned {
    const most = Math.min(20000, this.#facts.bodyBytesMax);
    const bytes = content(this.#id(), 1 + this.#length(most - 1));
    const body = [part(bytes, 0, true)];
    const fields = ['Expect: 100-continue'];
    const target = '/echo';
    return this.#make({ kind: 'expect', method: 'POST', target, fields, body, response: bytes });
  }

  tooLarge(): Planned {
    const bytes = content(this.#id(), this.#facts.bodyBytesMax + 1 + this.#random.below(3000));
    const chunked = this.#random.chance(0.5);
    const fields = chunked ? ['Transfer-Encoding: chunked'] : [];
    const body = this.#body(bytes, chunked, 0);
    const rest = { status: 413, response: null, close: 'may' } as const;
    return this.#make({
      kind: 'too large',
      method: 'POST',
      target: '/echo',
      fields,
      body,
      ...rest,
    });
  }

  stream(kind: 'stream' | 'sized'): Planned {
    const id = this.#id();
    const length = 1 + this.#length(this.#facts.bodyBytesUsual * 2);
    const chunkBytes = this.#random.pick([500, 3000, 9000, 20000]);
    const pauseMs = this.#random.pick([0, 0, 1, 20]);
    const target = `/${kind}/${length}?id=${id}&chunk=${chunkBytes}&ms=${pauseMs}`;
    const takesMs = Math.ceil(length / chunkBytes) * (pauseMs + 1);
    const isHead = this.#random.chance(0.1);
    const response = isHead ? text('') : content(id, length);
    return this.#make({ kind, method: isHead ? 'HEAD' : 'GET', target, response, takesMs });
  }

  events(): Planned {
    const count = this.#random.between(1, 6);
    const pauseMs = this.#random.pick([0, 5, 50]);
    let response = '';
    for (let number = 1; number <= count; number++) {
      response += `id: ${number}\ndata: event ${number}\n\n`;
    }
    const responseFields: Expected['fields'] = [['content-type', 'text/event-stream']];
    const target = `/events/${count}?ms=${pauseMs}`;
    const takesMs = count * (pauseMs + 1);
    return this.#make({
      kind: 'events',
      target,
      response: text(response),
      responseFields,
      takesMs,
    });
  }

  slow(): Planned {
    const ms = this.#random.pick([1, 5, 30, 200]);
    const response = text(`slow ${ms}\n`);
    return this.#make({ kind: 'slow', target: `/slow/${ms}`, response, takesMs: ms });
  }

  never(): Planned {
    const { handlerTimeoutMs: takesMs } = this.#facts;
    const rest = { status: 503, response: null, close: 'yes', takesMs } as const;
    return this.#make({ kind: 'never', target: '/never', ...rest });
  }

  throws(): Planned {
    const response = text('Internal Server Error\n');
    return this.#make({ kind: 'throw', target: '/throw', status: 500, response });
  }

  reject(): Planned {
    const response = text('rejected on purpose\n');
    return this.#make({ kind: 'reject', target: '/reject', status: 409, response, takesMs: 2 });
  }

  truncated(): Planned {
    const id = this.#id();
    const length = 1 + this.#length(30000);
    const response = content(id, length);
    return this.#make({
      kind: 'cut',
      target: `/cut/${length}?id=${id}`,
      response,
      truncated: true,
    });
  }

  file(): Planned {
    const random = this.#random;
    const name = random.pick(['small.txt', 'block.bin', 'empty.txt', 'index.html']);
    const bytes = fileBytes(`/site/${name}`);
    const target = random.chance(0.3) ? `/file/${name}` : `/static/${name}`;
    const method = random.chance(0.1) ? 'HEAD' : 'GET';
    const response = method === 'HEAD' ? text('') : bytes;
    const responseFields: Expected['fields'] = [
      ['content-length', String(bytes.length)],
      ['last-modified', new Date(MODIFIED_MS).toUTCString()],
    ];
    const usesFiles = true;
    return this.#make({ kind: 'static', method, target, response, responseFields, usesFiles });
  }

  largeFile(): Planned {
    const folder = this.#random.chance(0.5) ? 'file' : 'static';
    const response = fileBytes('/site/large.bin');
    const target = `/${folder}/large.bin`;
    return this.#make({ kind: 'static large', target, response, usesFiles: true, takesMs: 500 });
  }

  range(): Planned {
    return this.#make(rangeDraft(this.#random));
  }

  notModified(): Planned {
    const fields = [`If-Modified-Since: ${new Date(MODIFIED_MS).toUTCString()}`];
    const rest = { status: 304, response: text(''), usesFiles: true };
    return this.#make({ kind: 'not modified', target: '/static/small.txt', fields, ...rest });
  }

  listing(): Planned {
    return this.#make({
      kind: 'listing',
      target: '/static/list/',
      response: null,
      usesFiles: true,
    });
  }

  missing(): Planned {
    const targets = ['/nothing', '/static/nothing.txt', '/static/.hidden', '/static/way-out'];
    const response = text('Not Found\n');
    const target = this.#random.pick([...targets, '/static/../../secret.txt']);
    return this.#make({ kind: 'missing', target, status: 404, response, usesFiles: true });
  }

  wrongMethod(): Planned {
    const responseFields: Expected['fields'] = [['allow', 'GET, HEAD, OPTIONS']];
    const rest = { status: 405, response: text('Method Not Allowed\n'), responseFields };
    return this.#make({ kind: 'wrong method', method: 'DELETE', target: '/hello', ...rest });
  }

  options(): Planned {
    const rest = { status: 204, response: text(''), target: '/hello' };
    return this.#make({ kind: 'options', method: 'OPTIONS', ...rest });
  }

  /** An HTTP/1.0 client, which gets no chunked coding and a close. */
  old(): Planned {
    const id = this.#id();
    const length = this.#length(5000);
    const path = this.#random.pick(['bytes', 'stream']);
    const target = `/${path}/${length}?id=${id}`;
    return this.#make({ kind: 'http/1.0', target, minor: 0, response: content(id, length) });
  }

  closing(): Planned {
    const id = this.#id();
    const fields = ['Connection: close'];
    const response = Buffer.from(textOf(id));
    return this.#make({ kind: 'closing', target: `/text/${id}`, fields, response, close: 'yes' });
  }
}
