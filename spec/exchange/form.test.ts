// What form() returns for each form, which ones it refuses, and that the work for a form is bounded
// by its parts as well as by its bytes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  FORM_BOUNDARY_BYTES_MAX,
  FORM_HEAD_BYTES_MAX,
  FORM_HEAD_FIELDS_MAX,
} from '../../src/base/fixed-limits.ts';
import { limitsFrom } from '../../src/base/limits.ts';
import { formFrom } from '../../src/exchange/form.ts';
import type { FormLimits } from '../../src/exchange/form-parts.ts';
import { HttpError } from '../../src/exchange/http-error.ts';

const LIMITS: FormLimits = limitsFrom();
const URLENCODED = 'application/x-www-form-urlencoded';
const FEW: FormLimits = { formPartsMax: 5, formFilesMax: 2 };
const BODY_BYTES = 1_000_000;

interface Outcome {
  /** 200 for a form. */
  readonly status: number;
  readonly message: string;
  readonly entries: readonly (readonly [string, string])[];
}

function multipart(boundary = 'b'): string {
  return `multipart/form-data; boundary=${boundary}`;
}

function part(head: string, content = ''): string {
  return `--b\r\n${head}\r\n\r\n${content}\r\n`;
}

const FIELD = part('Content-Disposition: form-data; name="a"');
const FILE = part('Content-Disposition: form-data; name="a"; filename="f"');
const END = '--b--\r\n';

function formOf(type: string, body: string, limits = LIMITS): Promise<FormData> {
  return formFrom(type, limits, async () => Buffer.from(body, 'latin1'));
}

async function outcome(type: string, body: string, limits = LIMITS): Promise<Outcome> {
  try {
    const entries = [...(await formOf(type, body, limits))].map(
      ([name, value]) => [name, typeof value === 'string' ? value : value.name] as const,
    );
    return { status: 200, message: '', entries };
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return { status: error.status, message: error.message, entries: [] };
  }
}

describe('the parts of a form', () => {
  const many: readonly (readonly [what: string, type: string, body: string])[] = [
    ['a megabyte of empty files', multipart(), FILE.repeat(16_000) + END],
    ['a megabyte of empty fields', multipart(), FIELD.repeat(20_000) + END],
    ['a million urlencoded fields', URLENCODED, 'a&'.repeat(BODY_BYTES / 2)],
    ['a million ampersands', URLENCODED, '&'.repeat(BODY_BYTES)],
    ['a file too many', multipart(), FILE.repeat(LIMITS.formFilesMax + 1) + END],
    ['a field too many', multipart(), FIELD.repeat(LIMITS.formPartsMax + 1) + END],
    ['a urlencoded field too many', URLENCODED, 'a=1&'.repeat(LIMITS.formPartsMax)],
  ];
  for (const [what, type, body] of many) {
    it(`${what}: 413`, async () => {
      const { status, message } = await outcome(type, body);
      assert.equal(status, 413);
      assert.match(message, /^the form has more than \d+ (fields and )?files \(form_\w+_max\)$/);
    });
  }

  it('are read up to the limit', async () => {
    const mixed = FILE.repeat(2) + FIELD.repeat(3) + END;
    assert.equal((await outcome(multipart(), mixed, FEW)).entries.length, 5);
    assert.equal((await outcome(multipart(), FILE + mixed, FEW)).status, 413);
    assert.equal((await outcome(multipart(), FIELD + mixed, FEW)).status, 413);
    assert.equal((await outcome(URLENCODED, 'a&b&c&d&e', FEW)).entries.length, 5);
    assert.equal((await outcome(URLENCODED, 'a&b&c&d&e&', FEW)).status, 413);
    const most = FIELD.repeat(LIMITS.formPartsMax) + END;
    assert.equal((await outcome(multipart(), most)).entries.length, LIMITS.formPartsMax);
    const files = FILE.repeat(LIMITS.formFilesMax) + END;
    assert.equal((await outcome(multipart(), files)).entries.length, LIMITS.formFilesMax);
  });

  it('no file is allowed with form_files_max 0', async () => {
    const limits = { formPartsMax: 5, formFilesMax: 0 };
    assert.equal((await outcome(multipart(), FIELD + END, limits)).status, 200);
    for (const [name, status] of [
      ['filename="f"', 413],
      ['FileName=f', 413],
      ["filename*=utf-8''f", 400],
      ['filename = "f"', 400],
    ]) {
      const body = part(`Content-Disposition: form-data; name="a"; ${name}`) + END;
      assert.equal((await outcome(multipart(), body, limits)).status, status, `${name}`);
    }
  });

  it('the most expensive allowed form costs a bounded multiple of reading its bytes', async () => {
    const { formPartsMax, formFilesMax } = LIMITS;
    const parts = FILE.repeat(formFilesMax) + FIELD.repeat(formPartsMax - formFilesMax - 1);
    const filling = part('Content-Disposition: form-data; name="a"', 'x'.repeat(900_000));
    const body = Buffer.from(parts + filling + END);
    const times = { copying: Number.POSITIVE_INFINITY, reading: Number.POSITIVE_INFINITY };
    for (let turn = 0; turn < 5; turn++) {
      let beganMs = performance.now();
      // The work of bytes() for a body that arrived in chunks of a usual size.
      const chunks = Array.from({ length: 1000 }, (_, at) =>
        Buffer.from(body.subarray(at * 1024, (at + 1) * 1024)),
      );
      for (let again = 0; again < 10; again++) Buffer.concat(chunks).toString('latin1');
      times.copying = Math.min(times.copying, performance.now() - beganMs);
      beganMs = performance.now();
      await formFrom(multipart(), LIMITS, async () => body);
      times.reading = Math.min(times.reading, performance.now() - beganMs);
    }
    const ratio = times.reading / times.copying;
    assert.ok(ratio < 15, `${times.reading} ms against ${times.copying} ms`);
  });
});

describe('a part of a form', () => {
  it('with a file name is a File with its name and type, another one is text', async () => {
    const head = 'Content-Disposition: form-data; name="f"; filename=';
    for (const [filename, type, name, wanted] of [
      ['"a.png"', '\r\nContent-Type: image/png', 'a.png', 'image/png'],
      ['x.txt', '', 'x.txt', 'text/plain'],
      ['""', '\r\nContent-Type: application/octet-stream', '', 'application/octet-stream'],
      ['"../../etc/pass\xc3\xa9"', '', 'passé', 'text/plain'],
      ['"C:\\con.txt"', '', '_con.txt', 'text/plain'],
    ]) {
      const body = part(`${head}${filename}${type}`, '\0\xff\r\n') + END;
      const file = (await formOf(multipart(), body)).get('f');
      assert.ok(file instanceof File, filename);
      assert.deepEqual([file.name, file.type, file.size], [name, wanted, 4]);
      assert.deepEqual([...(await file.bytes())], [0, 255, 13, 10]);
    }
    const field = `${FIELD.slice(0, -6)}\r\nContent-Type: image/png\r\n\r\n\xc3\xa9\r\n`;
    assert.deepEqual((await outcome(multipart(), field + END)).entries, [['a', 'é']]);
  });

  it('has the parameters of RFC 2183 in any order, case and spelling', async () => {
    for (const [disposition, ...entry] of [
      ['form-data; name=a', 'a', 'v'],
      ['form-data;name="a"', 'a', 'v'],
      ['form-data; NAME="a"', 'a', 'v'],
      ['Form-Data; name="a"', 'a', 'v'],
      ['form-data; x=y; name="a"; z="1;2"', 'a', 'v'],
      ['form-data; filename="f"; name="a"', 'a', 'f'],
      ['form-data; name="a"; filename=x.txt', 'a', 'x.txt'],
    ]) {
      const body = part(`CONTENT-Disposition:${disposition}`, 'v') + END;
      assert.deepEqual((await outcome(multipart(), body)).entries, [entry], disposition);
    }
  });

  it('that is no file and not UTF-8: 400', async () => {
    const body = part('Content-Disposition: form-data; name="a"', '\xff') + END;
    assert.deepEqual(await outcome(multipart(), body), {
      status: 400,
      message: 'the body is not valid UTF-8',
      entries: [],
    });
  });
});

describe('the heads of the parts of a form', () => {
  const field = 'Content-Disposition: form-data; name="a"';

  it('may be long, within a limit', async () => {
    const long = (bytes: number) => `${field}\r\nX: ${'y'.repeat(bytes - field.length - 5)}`;
    const most = part(long(FORM_HEAD_BYTES_MAX - 2)) + END;
    assert.equal((await outcome(multipart(), most)).status, 200);
    for (const head of [
      long(FORM_HEAD_BYTES_MAX + 1),
      long(900_000),
      `Content-Disposition: form-data; name="${'a'.repeat(900_000)}"`,
      `Content-Disposition: form-data; name="${'%22'.repeat(300_000)}"`,
      `${field}; filename="${'f'.repeat(900_000)}"`,
      `${field}\r\nContent-Type: text/plain${';a=b'.repeat(200_000)}`,
      `${field}\r\n${'X: y\r\n'.repeat(150_000)}X: z`,
    ]) {
      const { status, message } = await outcome(multipart(), part(head) + END);
      assert.equal(status, 413, head.slice(0, 60));
      assert.match(message, /^the form has a part with a head of more than 4096 bytes$/);
    }
  });

  it('have few fields', async () => {
    const fields = (count: number) => `${field}${'\r\nX: y'.repeat(count - 1)}`;
    const most = part(fields(FORM_HEAD_FIELDS_MAX)) + END;
    assert.equal((await outcome(multipart(), most)).status, 200);
    const more = await outcome(multipart(), part(fields(FORM_HEAD_FIELDS_MAX + 1)) + END);
    assert.equal(more.status, 413);
  });

  it('end their lines in CR LF, and in nothing else', async () => {
    for (const line of ['\r', '\n', '\r\r\n', '\n\r\n']) {
      const body = part(`${field}${`${line}X: y`.repeat(9)}`) + END;
      const { status } = await outcome(multipart(), body);
      assert.equal(status, 400, JSON.stringify(line));
    }
  });

  it('without an end are scanned once each, however many there are', async () => {
    const open = `--b\r\n${field}\r\n`;
    assert.equal((await outcome(multipart(), open.repeat(10_000))).status, 413);
    assert.equal((await outcome(multipart(), open)).status, 400);
  });

  it('without a name are 400', async () => {
    for (const head of ['', 'X: y', 'Content-Disposition: form-data', 'Content-Disposition: x']) {
      assert.equal((await outcome(multipart(), part(head) + END)).status, 400, head);
    }
  });

  it('keep names as they are sent, also unusual ones', async () => {
    for (const [sent, name] of [
      ['__proto__', '__proto__'],
      ['constructor', 'constructor'],
      ['a%22b', 'a"b'],
      ['a%0D%0Ab', 'a\r\nb'],
      ['', ''],
      ["'", "'"],
      ['; filename', '; filename'],
      ['\xc3\xa9', 'é'],
    ]) {
      const body = part(`Content-Disposition: form-data; name="${sent}"`, 'v') + END;
      assert.deepEqual((await outcome(multipart(), body)).entries, [[name, 'v']], sent);
    }
    assert.equal(Object.hasOwn(Object.prototype, 'v'), false);
    const urlencoded = await outcome(URLENCODED, '__proto__=1&constructor=2&=3&%00=4');
    const names = ['__proto__', 'constructor', '', '\0'];
    assert.deepEqual(
      urlencoded.entries.map(([name]) => name),
      names,
    );
  });

  it('of a urlencoded form are those that Response reads, but for a question mark', async () => {
    const parts = [
      'a',
      '=',
      '&',
      '+',
      '%',
      '%41',
      '%zz',
      '%C3%A9',
      '\xc3\xa9',
      '\xff',
      '?',
      ' ',
      '\0',
    ];
    const text = fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((all) => all.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        const { entries } = await outcome(URLENCODED, body, { ...LIMITS, formPartsMax: 20 });
        const headers = { 'content-type': URLENCODED };
        const bytes = Buffer.from(body.startsWith('?') ? `&${body}` : body, 'latin1');
        const read = await new Response(bytes, { headers }).formData();
        assert.deepEqual(entries, [...read]);
      }),
    );
    const { entries } = await outcome(URLENCODED, '?a=1&?b=2');
    assert.deepEqual(entries, [
      ['?a', '1'],
      ['?b', '2'],
    ]);
  });

  it('with quotes within quotes are 400, not another name', async () => {
    for (const name of ['a"b', 'a\\"b', '"a"', 'a"; filename="f"; x="']) {
      const body = part(`Content-Disposition: form-data; name="${name}"`) + END;
      const { status, entries } = await outcome(multipart(), body);
      assert.ok(status === 400 || entries[0][0] === 'a', `${name}: ${JSON.stringify(entries)}`);
    }
  });
});

describe('the boundary of a form', () => {
  const bodyWith = (boundary: string, content = 'v') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${content}\r\n` +
    `--${boundary}--\r\n`;

  it('may be quoted, and any of RFC 2046', async () => {
    for (const [given, boundary] of [
      ['q', 'q'],
      ['----WebKitFormBoundary7MA4YWxkTrZu0gW', '----WebKitFormBoundary7MA4YWxkTrZu0gW'],
      ['"q"', 'q'],
      ['"a b"', 'a b'],
      ['"(a)+_,-./:=?"', '(a)+_,-./:=?'],
      ['"\\q"', 'q'],
      ['q; charset=utf-8', 'q'],
      ['q;', 'q'],
      ['q ; x="; boundary=z"', 'q'],
      ["'", "'"],
      ['z'.repeat(FORM_BOUNDARY_BYTES_MAX), 'z'.repeat(FORM_BOUNDARY_BYTES_MAX)],
    ]) {
      const { entries } = await outcome(multipart(given), bodyWith(boundary));
      assert.deepEqual(entries, [['a', 'v']], given);
    }
    const upper = 'Multipart/Form-Data;BOUNDARY=q';
    assert.equal((await outcome(upper, bodyWith('q'))).status, 200);
  });

  it('that is missing, duplicate or invalid is 400 before the body is read', async () => {
    for (const type of [
      'multipart/form-data',
      'multipart/form-data;',
      'multipart/form-data; charset=utf-8',
      multipart(''),
      multipart('""'),
      multipart('a; boundary=b'),
      multipart('a, multipart/form-data; boundary=b'),
      multipart('"a'),
      multipart('a b'),
      multipart('"a "'),
      multipart('"a\\"b"'),
      multipart('"\xe9"'),
      multipart('{}'),
      multipart('z'.repeat(FORM_BOUNDARY_BYTES_MAX + 1)),
      multipart('z'.repeat(10_000)),
      `multipart/form-data; ${'a=b; '.repeat(3000)}`,
    ]) {
      const reading = formFrom(type, LIMITS, () => assert.fail('the body is not read'));
      await assert.rejects(reading, (error) => {
        assert.ok(error instanceof HttpError && error.status === 400, type);
        assert.match(error.message, /^the form cannot be read: its /);
        return true;
      });
    }
  });

  it('that occurs everywhere costs no more than another one', async () => {
    for (const [boundary, text] of [
      ['b', 'b'],
      ['-', '-'],
      ['-'.repeat(FORM_BOUNDARY_BYTES_MAX), '-'],
      ['b', '--b'],
      ['b', '\r\n--'],
      ['b', '\r\n-'],
      ['b', '\r'],
      ['b', '\r\n--bb'],
      ['b', '\r\n--b\r'],
      ['b', '\r\n--b\r\n'],
      ['b', '\r\n--b\r\n\r\n\r\n'],
      ['b', '\r\n--b--'],
    ]) {
      const body = bodyWith(boundary, text.repeat(BODY_BYTES / text.length));
      const { status } = await outcome(multipart(boundary), body);
      assert.ok([200, 400, 413].includes(status), `${boundary} ${JSON.stringify(text)}: ${status}`);
    }
  });

  it('that occurs within a line is content', async () => {
    for (const [boundary, content] of [
      ['b', 'abc'],
      ['-', ''],
      ['line', 'a\r\n--\r\nline'],
    ]) {
      const { entries } = await outcome(multipart(boundary), bodyWith(boundary, content));
      assert.deepEqual(entries, [['a', content]], boundary);
    }
  });

  it('is at the beginning, between parts and at the end', async () => {
    const whole = FIELD + END;
    for (const before of ['\r\n', '\r\n\r\n\r\n']) {
      assert.equal((await outcome(multipart(), before + whole)).status, 200);
    }
    assert.deepEqual((await outcome(multipart(), END)).entries, []);
    assert.deepEqual((await outcome(multipart(), '--b--')).entries, []);
    for (const body of [
      '',
      'x',
      '--b',
      '--b-',
      '--c--',
      FIELD,
      whole.slice(0, -5),
      `preamble\r\n${whole}`,
      `${whole}epilogue`,
      `${whole}--`,
      `${whole}\r\n--b--`,
      `${FIELD.slice(0, -2)}${END}`,
      FIELD.replaceAll('\r\n', '\n') + END,
      `--bb\r\n${FIELD.slice(5)}${END}`,
    ]) {
      const { status, message } = await outcome(multipart(), body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.match(message, /^the form cannot be read: /);
    }
  });
});

describe('the type of a form', () => {
  it('that is not supported: the message says what was sent and what is accepted', async () => {
    const wanted = 'a form is application/x-www-form-urlencoded or multipart/form-data';
    for (const [type, came] of [
      ['', 'the content has no type'],
      ['text/plain; charset=utf-8', 'the content is text/plain'],
      ['Application/JSON', 'the content is application/json'],
      ['multipart/mixed; boundary=b', 'the content is multipart/mixed'],
      ['x'.repeat(10_000), `the content is ${'x'.repeat(80)}`],
    ]) {
      const { status, message } = await outcome(type, '');
      assert.deepEqual([status, message], [415, `${came}; ${wanted}`]);
    }
  });
});
