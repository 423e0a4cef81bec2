// The reader of multipart/form-data: the same parts however the body is divided, those that an
// independent parser finds, and a reason for every body that is refused.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Busboy } from '@fastify/busboy';
import { FORM_HEAD_BYTES_MAX, FORM_HEAD_FIELDS_MAX } from '../../src/base/fixed-limits.ts';
import { limitsFrom } from '../../src/base/limits.ts';
import { formFrom } from '../../src/exchange/form.ts';
import { FormReader, type ReaderLimits } from '../../src/exchange/form-reader.ts';
import { HttpError } from '../../src/exchange/http-error.ts';
import { Random } from '../../testing/random.ts';

const NONE = { max: Number.POSITIVE_INFINITY, name: 'none' };
const UNLIMITED: ReaderLimits = { parts: NONE, files: NONE, partBytes: NONE, totalBytes: NONE };

interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string;
  readonly content: string;
}

interface Outcome {
  readonly parts: readonly Part[];
  /** 0 for a form that is valid. */
  readonly status: number;
  readonly message: string;
}

interface ReadOptions {
  readonly boundary?: string;
  readonly limits?: Partial<ReaderLimits>;
  /** Which parts are read; the others are skipped. */
  readonly reads?: (index: number) => boolean;
}

async function read(chunks: readonly Buffer[], options: ReadOptions = {}): Promise<Outcome> {
  const { boundary = 'b', limits, reads = () => true } = options;
  const waiting = [...chunks];
  const next = () => Promise.resolve(waiting.shift() ?? null);
  const reader = new FormReader(next, boundary, { ...UNLIMITED, ...limits });
  const parts: Part[] = [];
  try {
    for (let head = await reader.nextPart(); head !== null; head = await reader.nextPart()) {
      let content = '';
      let chunk = reads(parts.length) ? await reader.nextChunk() : null;
      for (; chunk !== null; chunk = await reader.nextChunk()) {
        assert.ok(chunk.length > 0, 'no chunk is empty');
        content += Buffer.from(chunk).toString('latin1');
      }
      parts.push({ ...head, content });
    }
    assert.equal(waiting.length, 0, 'all of the body was read');
    return { parts, status: 0, message: '' };
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return { parts, status: error.status, message: error.message };
  }
}

function readText(body: string, options: ReadOptions = {}): Promise<Outcome> {
  return read([Buffer.from(body, 'latin1')], options);
}

function cut(body: Buffer, sizes: () => number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = sizes();
    // Memory of its own, as a connection's chunks have.
    chunks.push(Buffer.from(body.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

const FIELD = 'Content-Disposition: form-data; name="a"';
const part = (head: string, content = '') => `--b\r\n${head}\r\n\r\n${content}\r\n`;
const END = '--b--\r\n';

/** Contents that look like delimiters, or begin as they do. */
const CONTENTS = [
  ...[
    '',
    'x',
    '\r',
    '\n',
    '\r\n',
    '\r\n-',
    '\r\n--',
    '\r\n\r\n',
    '--b',
    '--b--',
    '--b\r\n',
    '\r\r\n--',
  ],
  ...[
    '\r\n--c',
    '\r\n-b',
    'x\r\n',
    '\r\n--\r\n--',
    '\0\xff',
    'b--',
    '\r\n--\r\nb',
    '\r'.repeat(99),
  ],
];

describe('parts', () => {
  const body = [
    part(FIELD, 'one'),
    part('content-disposition:form-data;name=b;filename="x.txt"\r\nX-Y: z', '\r\n--'),
    part('Content-Type: image/png\r\nContent-Disposition: form-data; name="c"; filename=""', ''),
    END,
  ].join('');
  const expected: readonly Part[] = [
    { name: 'a', filename: undefined, type: 'text/plain', content: 'one' },
    { name: 'b', filename: 'x.txt', type: 'text/plain', content: '\r\n--' },
    { name: 'c', filename: '', type: 'image/png', content: '' },
  ];

  it('are the same for every way to cut the body in two, and byte by byte', async () => {
    const bytes = Buffer.from(body, 'latin1');
    for (let at = 0; at <= bytes.length; at++) {
      const two = [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0);
      assert.deepEqual((await read(two)).parts, expected, `cut at ${at}`);
    }
    assert.deepEqual((await read(cut(bytes, () => 1))).parts, expected);
  });

  it('may be skipped, in all combinations', async () => {
    for (let which = 0; which < 8; which++) {
      const isRead = (index: number) => (which & (1 << index)) !== 0;
      const { parts } = await readText(body, { reads: isRead });
      assert.deepEqual(
        parts.map(({ content }) => content),
        expected.map(({ content }, index) => (isRead(index) ? content : '')),
      );
    }
  });

  it('have any content that is no delimiter, however it is cut', async () => {
    for (const content of CONTENTS) {
      const bytes = Buffer.from(part(FIELD, content) + part(FIELD, 'next') + END, 'latin1');
      for (const size of [1, 2, 3, 5, 8, 1000]) {
        const { parts, message } = await read(cut(bytes, () => size));
        const found = parts.map((one) => one.content);
        assert.deepEqual(found, [content, 'next'], `${JSON.stringify(content)} ${message}`);
      }
    }
  });

  it('are those of another parser, for random forms and cuts', async () => {
    const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 1_000_000);
    const random = new Random(seed, 'form-reader');
    for (let run = 0; run < 300; run++) {
      const count = random.below(5);
      let text = '';
      for (let index = 0; index < count; index++) {
        const contents = Array.from({ length: random.below(4) }, () =>
          random.chance(0.2)
            ? 'y'.repeat(random.below(3000))
            : CONTENTS[random.below(CONTENTS.length)],
        );
        const file = random.chance(0.5) ? `; filename="f${index}.txt"` : '';
        const type = random.chance(0.5) ? `\r\nContent-Type: type/t${index}` : '';
        const head = `Content-Disposition: form-data; name="n${index}"${file}${type}`;
        text += `--0b\r\n${head}\r\n\r\n${contents.join('')}\r\n`;
      }
      const bytes = Buffer.from(`${text}--0b--\r\n`, 'latin1');
      const chunks = cut(bytes, () => random.between(1, random.chance(0.5) ? 10 : 2000));
      const ours = await read(chunks, { boundary: '0b' });
      assert.equal(ours.message, '', `VIBING_SEED=${seed}, run ${run}`);
      assert.deepEqual(ours.parts, await busboyParts(bytes), `VIBING_SEED=${seed}, run ${run}`);
    }
  });
});

function busboyParts(bytes: Buffer): Promise<readonly Part[]> {
  return new Promise((resolve, reject) => {
    const parts: Part[] = [];
    const busboy = new Busboy({
      headers: { 'content-type': 'multipart/form-data; boundary=0b' },
      isPartAFile: () => true,
    });
    busboy.on('file', (name, stream, filename, _encoding, type) => {
      const index = parts.push({ name, filename, type, content: '' }) - 1;
      let content = '';
      stream.on('data', (chunk: Buffer) => {
        content += chunk.toString('latin1');
      });
      stream.on('end', () => {
        parts[index] = { ...parts[index], content };
      });
    });
    busboy.on('finish', () => resolve(parts));
    busboy.on('error', reject);
    busboy.end(bytes);
  });
}

describe('a form that is refused', () => {
  const malformed: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'its content does not begin with its boundary'],
    ['another boundary', '--c--', 'its content does not begin with its boundary'],
    ['half a boundary', '--', 'its content does not begin with its boundary'],
    ['a preamble', `x\r\n${END}`, 'its content does not begin with its boundary'],
    ['a boundary alone', '--b', 'its last boundary is missing'],
    ['a boundary and a dash', '--b-', 'its last boundary is missing'],
    ['no end', part(FIELD), 'its last boundary is missing'],
    ['no end of the content', part(FIELD, 'x').slice(0, -2), 'its last boundary is missing'],
    ['no end of a head', `--b\r\n${FIELD}\r\n`, 'a part ends within its head'],
    ['a boundary that is longer', `--bb\r\n${FIELD}`, 'a boundary does not end its line'],
    ['a later one', `${part(FIELD, '\r\n--bb')}${END}`, 'a boundary does not end its line'],
    ['text behind a boundary', `--b x\r\n${FIELD}`, 'a boundary does not end its line'],
    ['a space before the dashes', `${part(FIELD)}--b --\r\n`, 'a boundary does not end its line'],
    ['padding alone', '--b \t', 'its last boundary is missing'],
    ['a line feed alone', `--b\n${FIELD}\n\n`, 'a boundary does not end its line'],
    ['text behind the end', `${END.slice(0, -2)} x`, 'something follows its last boundary'],
    ['an epilogue', `${END}x`, 'something follows its last boundary'],
    ['a form behind the form', END + END, 'something follows its last boundary'],
    ['a bare CR in a head', part(`${FIELD}\rX: y`) + END, 'a line of a head has a control'],
    ['a bare LF in a head', part(`${FIELD}\nX: y`) + END, 'a line of a head has a control'],
    ['a NUL in a head', part(`${FIELD}\r\nX: \0`) + END, 'a line of a head has a control'],
    ['a line without a colon', part(`${FIELD}\r\nX`) + END, 'a line of a head is no field'],
    ['a folded line', part(`${FIELD}\r\n X: y`) + END, 'a line of a head is no field'],
    ['a space before a colon', part('Content-Disposition : x') + END, 'is no field'],
    ['no fields', part('') + END, 'each part needs a Content-Disposition'],
    ['no disposition', part('X: y') + END, 'each part needs a Content-Disposition'],
    ['another kind', part('Content-Disposition: file; name="a"') + END, 'each part needs'],
    ['no name', part('Content-Disposition: form-data') + END, 'each part needs'],
    ['a file alone', part('Content-Disposition: form-data; filename="a"') + END, 'each part needs'],
    ['two dispositions', part(`${FIELD}\r\n${FIELD}`) + END, 'two Content-Dispositions'],
    [
      'two types',
      part(`${FIELD}\r\nContent-Type: a/b\r\ncontent-type: c/d`) + END,
      'two Content-T',
    ],
    ['two names', part(`${FIELD}; name="b"`) + END, 'a parameter twice'],
    ['two file names', part(`${FIELD}; filename=a; FileName=b`) + END, 'a parameter twice'],
    ['filename*', part(`${FIELD}; filename*=utf-8''x`) + END, 'has filename*'],
    ['an open quote', part(`${FIELD.slice(0, -1)}`) + END, 'parameters that are not valid'],
    ['quotes in quotes', part(`${FIELD.slice(0, -1)}\\"b"`) + END, 'parameters that are not valid'],
    ['text behind quotes', part(`${FIELD}b`) + END, 'parameters that are not valid'],
    ['a parameter without value', part(`${FIELD}; x`) + END, 'parameters that are not valid'],
    ['base64', part(`${FIELD}\r\nContent-Transfer-Encoding: base64`) + END, 'Transfer-Encoding'],
  ];
  for (const [what, body, message] of malformed) {
    it(`${what}: 400`, async () => {
      for (const size of [1, 7, 10_000]) {
        const outcome = await read(cut(Buffer.from(body, 'latin1'), () => size));
        assert.equal(outcome.status, 400);
        assert.ok(outcome.message.startsWith('the form cannot be read: '), outcome.message);
        assert.ok(outcome.message.includes(message), `${what}: ${outcome.message}`);
      }
    });
  }

  it('is accepted in all forms that are valid', async () => {
    for (const body of [
      END,
      '--b--',
      `\r\n\r\n${END}`,
      `${END}\r\n\r\n`,
      '--b-- \t\r\n',
      '--b--\t',
      `--b \t\r\n${FIELD}\r\n\r\nx\r\n--b\t \t\r\n${FIELD}\r\n\r\n\r\n--b-- `,
      part(`${FIELD};`) + END,
      part(`${FIELD} ; x=y`) + END,
      part(`${FIELD}\r\nContent-Transfer-Encoding: 8bit`) + END,
      part(`${FIELD}\r\nContent-Type:`) + END,
      part(`${FIELD}\r\nX:\ty\xe9`) + END,
    ]) {
      for (const size of [1, 7, 10_000]) {
        const { message } = await read(cut(Buffer.from(body, 'latin1'), () => size));
        assert.equal(message, '', body);
      }
    }
  });

  it('is refused by form() as well, with the same message', async () => {
    const type = 'multipart/form-data; boundary=b';
    for (const [what, body] of malformed) {
      const reading = formFrom(type, limitsFrom(), async () => Buffer.from(body, 'latin1'));
      const { message } = await readText(body);
      await assert.rejects(reading, { name: 'HttpError', status: 400, message }, what);
    }
  });

  it('because of endless padding is not gathered', async () => {
    let sent = 0;
    const endless = () => {
      sent += 1000;
      return Promise.resolve(Buffer.from((sent === 1000 ? '--b' : '').padEnd(1000)));
    };
    const limits = { ...UNLIMITED, totalBytes: { max: 100_000, name: 'a_limit' } };
    await assert.rejects(new FormReader(endless, 'b', limits).nextPart(), { status: 413 });
    assert.equal(sent, 101_000);
  });
});

describe('the limits of a form', () => {
  const limit = (max: number) => ({ max, name: 'a_limit' });
  const FILE = `${FIELD}; filename="f"`;

  it('parts, files, bytes of a part and of all: 413 beyond, not before', async () => {
    const five = part(FIELD).repeat(3) + part(FILE).repeat(2) + END;
    const cases: readonly (readonly [keyof ReaderLimits, number, string, string])[] = [
      ['parts', 5, five, 'more than 4 fields and files (a_limit)'],
      ['files', 2, five, 'more than 1 files (a_limit)'],
      [
        'partBytes',
        100,
        part(FIELD, 'x'.repeat(100)).repeat(3) + END,
        'a part of more than 99 bytes',
      ],
      ['totalBytes', five.length, five, `more than ${five.length - 1} bytes (a_limit)`],
    ];
    for (const [name, most, body, message] of cases) {
      for (const size of [1, 64, 10_000]) {
        const chunks = cut(Buffer.from(body, 'latin1'), () => size);
        assert.equal((await read(chunks, { limits: { [name]: limit(most) } })).message, '', name);
        const beyond = await read(chunks, { limits: { [name]: limit(most - 1) } });
        assert.equal(beyond.status, 413, name);
        assert.ok(beyond.message.startsWith(`the form has ${message}`), beyond.message);
      }
    }
  });

  it('a part that is skipped counts, too', async () => {
    const body = part(FIELD, 'x'.repeat(100)) + END;
    const options = { limits: { partBytes: limit(99) }, reads: () => false };
    assert.equal((await readText(body, options)).status, 413);
  });

  it('none of something', async () => {
    const none = { limits: { parts: limit(0), files: limit(0), partBytes: limit(0) } };
    assert.equal((await readText(END, none)).message, '');
    assert.equal((await readText(part(FIELD) + END, none)).status, 413);
    const noFiles = { limits: { files: limit(0) } };
    assert.equal((await readText(part(FIELD) + END, noFiles)).message, '');
    assert.equal((await readText(part(FILE) + END, noFiles)).status, 413);
  });

  it('the head of a part: its bytes and its fields', async () => {
    const long = (bytes: number) => `${FIELD}\r\nX: ${'y'.repeat(bytes - FIELD.length - 5)}`;
    const fields = (count: number) => `${FIELD}${'\r\nX: y'.repeat(count - 1)}`;
    for (const size of [1, 1000, 100_000]) {
      const outcome = (head: string) => read(cut(Buffer.from(part(head) + END), () => size));
      // The line end before a head counts, as in form().
      assert.equal((await outcome(long(FORM_HEAD_BYTES_MAX - 2))).message, '');
      const beyond = await outcome(long(FORM_HEAD_BYTES_MAX - 1));
      assert.equal(beyond.status, 413);
      assert.match(beyond.message, /a part with a head of more than 4096 bytes$/);
      assert.equal((await outcome(fields(FORM_HEAD_FIELDS_MAX))).message, '');
      assert.equal((await outcome(fields(FORM_HEAD_FIELDS_MAX + 1))).status, 413);
    }
  });

  it('a head without an end is not gathered', async () => {
    let sent = 0;
    const endless = () => {
      sent += 1000;
      return Promise.resolve(Buffer.alloc(1000, sent === 1000 ? '--b\r\nX: y' : 'x'));
    };
    const reader = new FormReader(endless, 'b', UNLIMITED);
    await assert.rejects(reader.nextPart(), (error) => {
      assert.ok(error instanceof HttpError, String(error));
      return true;
    });
    assert.ok(sent <= FORM_HEAD_BYTES_MAX + 2000, `${sent} bytes were read`);
  });
});

describe('reading', () => {
  it('takes a chunk of the body only when one is asked for', async () => {
    const chunks = cut(Buffer.from(part(FIELD, 'x'.repeat(100)) + END), () => 10);
    let taken = 0;
    const next = () => Promise.resolve(chunks[taken++] ?? null);
    const reader = new FormReader(next, 'b', UNLIMITED);
    await reader.nextPart();
    const before = taken;
    await reader.nextChunk();
    await reader.nextChunk();
    assert.ok(taken - before <= 2, `${taken - before} chunks for two reads`);
  });

  it('passes on the error of the body', async () => {
    for (const at of [0, 1, 2]) {
      const chunks = [Buffer.from(`--b\r\n${FIELD}\r\n\r\n`), Buffer.from('xyz')].slice(0, at);
      const failing = () => {
        const chunk = chunks.shift();
        return chunk === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(chunk);
      };
      const reader = new FormReader(failing, 'b', UNLIMITED);
      await assert.rejects(async () => {
        await reader.nextPart();
        while ((await reader.nextChunk()) !== null);
      }, /gone/);
    }
  });
});
