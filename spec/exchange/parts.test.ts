// Forms as handlers read them while they arrive: req.parts(). Content goes to the handler or to
// files, never faster than it is read, and a form that fails leaves no file.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, mock, test } from 'node:test';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { ERRNO } from '../../src/base/errno.ts';
import type { FormPart } from '../../src/exchange/form-part.ts';
import type { PartsOptions } from '../../src/exchange/parts-iterator.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Server } from '../../src/server/server.ts';
import { ConnectionFixture, Gate, post } from '../../testing/connection-fixture.ts';
import { post as postRequest } from '../../testing/raw-client.ts';
import { type VirtualSite, withSite } from '../../testing/virtual-site.ts';

const TYPE = 'Content-Type: multipart/form-data; boundary=b';
const END = '--b--\r\n';

function field(name: string, content: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
}

function file(name: string, filename: string, content: string): string {
  const head = `Content-Disposition: form-data; name="${name}"; filename="${filename}"`;
  return `--b\r\n${head}\r\nContent-Type: image/png\r\n\r\n${content}\r\n`;
}

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vibing-parts-'));
});
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});

/** A route whose handler returns what it found. */
function upload(
  body: string,
  handle: (request: Request) => unknown,
  check: (virtual: VirtualSite, text: string, status: number) => void | Promise<void>,
  type = TYPE,
): Promise<void> {
  const routes = (server: Server) => {
    server.post('/', async (request, response) => response.json((await handle(request)) ?? null));
  };
  return withSite(routes, async (virtual) => {
    const { text, status } = await virtual.ask(postRequest('/', body, type));
    await check(virtual, text, status);
  });
}

async function readAll(request: Request, options?: PartsOptions): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const part of request.parts(options)) {
    found.push([part.name, part.filename ?? null, part.type, await part.text()]);
  }
  return found;
}

describe('req.parts()', () => {
  test('has bytes in memory of their own, with nothing of other requests', async () => {
    const read = async (request: Request): Promise<unknown> => {
      for await (const part of request.parts())
        return String(Buffer.from((await part.bytes()).buffer));
      return 'no part';
    };
    await upload(field('a', 'one') + END, read, (_virtual, text) => assert.equal(text, '"one"'));
  });

  test('has name, file name and type, and content as bytes, text and chunks', async () => {
    const body =
      field('a', 'one') +
      file('b', '../x.png', 'two') +
      field('c', 'three') +
      field('d', 'x') +
      END;
    const handle = async (request: Request) => {
      const found: unknown[] = [];
      for await (const part of request.parts()) {
        const { name, filename, type } = part;
        let content = 'skipped';
        if (name === 'a') content = await part.text();
        else if (name === 'b') content = (await part.bytes()).toString('hex');
        else if (name === 'c') {
          content = '';
          for await (const chunk of part.stream) content += Buffer.from(chunk).toString();
        }
        found.push([name, filename, type, content]);
      }
      return found;
    };
    await upload(body, handle, (_virtual, text) => {
      assert.deepEqual(JSON.parse(text), [
        ['a', null, 'text/plain', 'one'],
        ['b', 'x.png', 'image/png', '74776f'],
        ['c', null, 'text/plain', 'three'],
        ['d', null, 'text/plain', 'skipped'],
      ]);
    });
  });

  test('the connection continues after a form that was read', async () => {
    const fixture = new ConnectionFixture(async (request, response) => {
      response.json(await readAll(request));
    });
    const client = fixture.open();
    const body = field('a', 'x'.repeat(3000)) + END;
    for (let round = 0; round < 3; round++) {
      client.send(post('/', body.length, '', TYPE));
      for (let at = 0; at < body.length; at += 500) {
        client.send(body.slice(at, at + 500));
        await fixture.rest();
      }
      assert.match(await client.read(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*"x{3000}"\]\]$/);
    }
    await fixture.end();
  });

  test('another type is 415, a boundary that is not valid 400', async () => {
    for (const [type, status, message] of [
      ['X: y', 415, 'the content has no type; a form is multipart/form-data'],
      ['Content-Type: text/plain', 415, 'the content is text/plain; a form is multipart/form-data'],
      ['Content-Type: application/x-www-form-urlencoded', 415, 'a form is multipart/form-data'],
      ['Content-Type: multipart/form-data', 400, 'its Content-Type has no boundary'],
      ['Content-Type: multipart/form-data; boundary="a', 400, 'parameters that are not valid'],
    ] as const) {
      const check = (_virtual: VirtualSite, text: string, found: number) => {
        assert.equal(found, status, type);
        assert.ok(text.includes(message), text);
      };
      await upload(field('a', '1') + END, readAll, check, type);
    }
  });

  test('limits of the call and of the server: 413', async () => {
    const body = field('a', '12345') + file('b', 'x', '12') + file('c', 'y', '1') + END;
    for (const [limits, message] of [
      [{ parts: 2 }, 'the form has more than 2 fields and files (limits.parts)'],
      [{ files: 1 }, 'the form has more than 1 files (limits.files)'],
      [{ partBytes: 4 }, 'the form has a part of more than 4 bytes (limits.partBytes)'],
      [{ totalBytes: 50 }, 'the form has more than 50 bytes (limits.totalBytes)'],
      [{ parts: 3, files: 2, partBytes: 5, totalBytes: body.length }, ''],
    ] as const) {
      await upload(
        body,
        (request) => readAll(request, { limits }),
        (_virtual, text, status) => {
          assert.deepEqual(
            [status, text],
            message === '' ? [200, text] : [413, `${message}\n`],
            JSON.stringify(limits),
          );
        },
      );
    }
    for (const [options, message] of [
      [
        { formPartsMax: 2, formFilesMax: 2 },
        'the form has more than 2 fields and files (form_parts_max)',
      ],
      [{ formFilesMax: 1 }, 'the form has more than 1 files (form_files_max)'],
      [{ bodyBytesMax: 4 }, 'the form has a part of more than 4 bytes'],
      [{ streamBytesMax: 50 }, 'Content Too Large'],
    ] as const) {
      const routes = (server: Server) => {
        server.post('/', async (request, response) => response.json(await readAll(request)));
      };
      const run = async ({ ask }: VirtualSite) => {
        const { status, text } = await ask(postRequest('/', body, TYPE));
        assert.deepEqual([status, text], [413, `${message}\n`]);
      };
      await withSite(routes, run, options);
    }
  });

  test('wrong options are a mistake of the handler', async () => {
    for (const [options, message] of [
      [{ limit: {} }, /parts\(\): there is no option "limit"; did you mean limits\?/],
      [{ limits: 7 }, /parts\(\): limits is an object of limits, given 7/],
      [{ limits: { part: 1 } }, /parts\(\): there is no option "part"; did you mean parts\?/],
      [{ limits: { files: -1 } }, /parts\(\): files is a whole number of parts|files is a whole/],
    ] as const) {
      await upload(
        END,
        (request) => readAll(request, options as PartsOptions),
        ({ errors }, _text, status) => {
          assert.equal(status, 500);
          assert.match(errors()[0], message);
        },
      );
    }
  });

  test('bytes() and text() have a limit of their own; text() is UTF-8', async () => {
    const one = (read: (part: FormPart) => unknown) => async (request: Request) => {
      for await (const part of request.parts()) return read(part);
      return null;
    };
    const body = field('a', '12\xff') + END;
    await upload(
      body,
      one((part) => part.bytes({ limit: 3 })),
      (_virtual, _text, status) => {
        assert.equal(status, 200);
      },
    );
    await upload(
      body,
      one((part) => part.bytes({ limit: 2 })),
      (_virtual, text, status) => {
        assert.deepEqual([status, text], [413, 'the form has a part of more than 2 bytes\n']);
      },
    );
    await upload(
      body,
      one((part) => part.text()),
      (_virtual, text, status) => {
        assert.deepEqual([status, text], [400, 'the body is not valid UTF-8\n']);
      },
    );
    await upload(
      body,
      one((part) => part.text({ limt: 2 } as object)),
      (virtual) => {
        assert.match(virtual.errors()[0], /text\(\): there is no option "limt"/);
      },
    );
  });
});

describe('the order of reads', () => {
  const messageOf = async (promise: Promise<unknown>): Promise<string> => {
    try {
      await promise;
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const next = (iterator: AsyncIterator<FormPart>) =>
    iterator.next().then((result) => result.value as FormPart);

  test('a part that the handler kept has no content when it has left the loop', async () => {
    const handle = async (request: Request) => {
      let kept: FormPart | null = null;
      for await (const part of request.parts()) {
        kept = part;
        break;
      }
      return kept?.text().catch((error: Error) => error.message);
    };
    await upload(field('a', 'one') + END, handle, (_, text) => {
      assert.equal(JSON.parse(text), 'this part is over: read its content before the next part');
    });
  });

  test('a part is read once, and before the next one', async () => {
    const handle = async (request: Request) => {
      const iterator = request.parts()[Symbol.asyncIterator]();
      const first = await next(iterator);
      assert.equal(await first.text(), '1');
      const again = await messageOf(first.text());
      const second = await next(iterator);
      const third = await next(iterator);
      const late = await messageOf(second.bytes());
      assert.equal(await third.text(), '3');
      assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      assert.deepEqual(await iterator.next(), { done: true, value: undefined });
      return [again, late, await messageOf(request.bytes()), await messageOf(third.bytes())];
    };
    await upload(field('a', '1') + field('b', '2') + field('c', '3') + END, handle, (_, text) => {
      assert.deepEqual(JSON.parse(text), [
        'the content of this part was read already',
        'this part is over: read its content before the next part',
        'the body was read already',
        'the content of this part was read already',
      ]);
    });
  });

  test('parts() of a body that is read is refused, later', async () => {
    const handle = async (request: Request) => {
      await request.bytes();
      return messageOf(readAll(request));
    };
    await upload(END, handle, (_, text) => assert.equal(text, '"the body was read already"'));
  });

  test('a next part while one is being read is refused, and disturbs nothing', async () => {
    const found: unknown[] = [];
    const fixture = new ConnectionFixture(async (request, response) => {
      const iterator = request.parts()[Symbol.asyncIterator]();
      const first = await next(iterator);
      const reading = first.text();
      found.push(await messageOf(iterator.next()), await reading);
      const [second, other] = await Promise.allSettled([next(iterator), next(iterator)]);
      assert.ok(second.status === 'fulfilled' && other.status === 'rejected');
      found.push(await second.value.text());
      response.empty();
    });
    const client = fixture.open();
    const body = field('a', 'one') + field('b', 'two') + END;
    client.send(post('/', body.length, body.slice(0, 60), TYPE));
    await fixture.rest();
    client.send(body.slice(60));
    for (let round = 0; round < 5; round++) await fixture.rest();
    assert.match(await client.read(), /^HTTP\/1\.1 204/);
    assert.deepEqual(found, [
      'the part before is still being read: await its bytes(), text() or saveTo()',
      'one',
      'two',
    ]);
    await fixture.end();
  });

  test('a loop around reads that fail does not block the event loop', async () => {
    const fixture = new ConnectionFixture(async (request, response) => {
      const iterator = request.parts()[Symbol.asyncIterator]();
      const part = await next(iterator);
      await part.text();
      let isOver = false;
      setImmediate(() => setImmediate(() => (isOver = true)));
      while (!isOver) await messageOf(part.text());
      isOver = false;
      setImmediate(() => setImmediate(() => (isOver = true)));
      await iterator.return?.();
      while (!isOver) await iterator.next();
      response.empty();
    });
    const client = fixture.open();
    const body = field('a', 'one') + END;
    client.send(post('/', body.length, body, TYPE));
    for (let round = 0; round < 20; round++) await fixture.rest();
    assert.match(await client.read(), /^HTTP\/1\.1 204/);
    await fixture.end();
  });
});

describe('saveTo()', () => {
  const save = (path: () => string) => async (request: Request) => {
    const found: unknown[] = [];
    for await (const part of request.parts()) {
      found.push(part.filename === undefined ? await part.text() : await part.saveTo(path()));
    }
    return found;
  };

  test('as the result of the loop it is in', async () => {
    const body = file('a', 'a.txt', 'content') + END;
    const first = async (request: Request) => {
      for await (const part of request.parts()) return part.saveTo(folder);
      return null;
    };
    const routes = (server: Server) => {
      server.post('/', async (request, response) => response.json(await first(request)));
    };
    await withSite(routes, async ({ ask }) => {
      const response = await ask(postRequest('/', body, TYPE));
      assert.equal(response.status, 200, response.text);
      const { bytes, path } = JSON.parse(response.text);
      assert.equal(bytes, 7);
      assert.equal(readFileSync(path, 'utf8'), 'content');
    });
  });

  test('a directory: a new file with a random name, which only its owner reads', async () => {
    const content = '\0\xff'.repeat(40_000);
    const body = field('a', 'x') + file('b', '../../evil.sh', content) + file('c', '', '') + END;
    const routes = (server: Server) => {
      server.post('/', async (request, response) =>
        response.json(await save(() => folder)(request)),
      );
    };
    await withSite(routes, async ({ virtual: owner }) => {
      const client = owner.open();
      const text = postRequest('/', body, TYPE);
      // The file is a real one, and writing it takes real time.
      const until = async (isThere: () => boolean): Promise<void> => {
        for (let round = 0; round < 6_000 && !isThere(); round++) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          await owner.rest(2);
        }
      };
      for (let at = 0; at < text.length; at += 16_000) {
        client.send(text.slice(at, at + 16_000));
        await until(() => client.socket.receiving);
      }
      await until(() => client.take().includes(']'));
      const [, json] = client.take().split('\r\n\r\n');
      const found = JSON.parse(json);
      assert.equal(found[0], 'x');
      for (const [index, bytes] of [
        [1, content.length],
        [2, 0],
      ]) {
        const { path } = found[index];
        assert.match(path.slice(folder.length), /^\/[0-9a-f]{32}$/);
        assert.equal(found[index].bytes, bytes);
        assert.equal(statSync(path).mode & 0o777, 0o600);
      }
      assert.ok(readFileSync(found[1].path).equals(Buffer.from(content, 'latin1')));
      assert.equal(readdirSync(folder).length, 2);
    });
  });

  test('a path is text', async () => {
    for (const path of ['', undefined, 7]) {
      await upload(
        file('a', 'x', '1') + END,
        save(() => path as string),
        (virtual, _, status) => {
          assert.equal(status, 500);
          assert.match(virtual.errors()[0], /saveTo\(\): a path is missing/);
        },
      );
    }
  });
});

describe('a form that fails', () => {
  /** Saves all files; the promise settles with the error that the handler got. */
  function saving(gate: Gate, seen: string[]): ConnectionFixture {
    return new ConnectionFixture(async (request, response) => {
      try {
        for await (const part of request.parts()) {
          await part.saveTo(folder);
          seen.push(`saved ${part.name}`);
        }
        response.text('done');
      } catch (error) {
        seen.push((error as Error).message);
        throw error;
      } finally {
        gate.open();
      }
    });
  }

  async function until(fixture: ConnectionFixture, condition: () => boolean): Promise<void> {
    for (let round = 0; !condition(); round++) {
      assert.ok(round < 2000, 'it comes to an end');
      await new Promise((resolve) => setTimeout(resolve, 1));
      await fixture.rest();
    }
  }

  test('as its client leaves: its files are removed, also those of earlier parts', async () => {
    const gate = new Gate();
    const seen: string[] = [];
    const fixture = saving(gate, seen);
    const client = fixture.open();
    const body = file('a', 'x', 'one') + file('b', 'y', 'two'.repeat(100));
    client.send(post('/', body.length + 1000, body.slice(0, -50), TYPE));
    await until(fixture, () => readdirSync(folder).length === 2);
    assert.deepEqual(seen, ['saved a']);
    client.breakOff();
    await until(fixture, () => seen.length === 2);
    await gate.opened;
    assert.match(seen[1], /the connection closed/);
    assert.deepEqual(readdirSync(folder), []);
    await fixture.end();
  });

  test('as it is malformed: the same, and the client learns why', async () => {
    for (const [bad, status, message] of [
      [`${field('c', '')}--bxy`, 400, 'a boundary does not end its line'],
      ['--b\r\nX: y\r\n\r\n\r\n', 400, 'each part needs a Content-Disposition'],
      [`${'X'.repeat(2000)}`, 400, 'its last boundary is missing'],
    ] as const) {
      const gate = new Gate();
      const seen: string[] = [];
      const fixture = saving(gate, seen);
      const client = fixture.open();
      const body = `${file('a', 'x', 'one')}${bad}`;
      client.send(post('/', body.length, '', TYPE));
      client.give(body);
      await until(fixture, () => {
        client.give('');
        return seen.some((line) => line.startsWith('the form'));
      });
      await gate.opened;
      assert.match(await client.read(), new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.ok(seen.at(-1)?.includes(message), seen.join());
      await until(fixture, () => readdirSync(folder).length === 0);
      await fixture.end();
    }
  });

  test('not as its handler leaves the loop: its files stay', async () => {
    const gate = new Gate();
    const fixture = new ConnectionFixture(async (request, response) => {
      for await (const part of request.parts()) {
        await part.saveTo(folder);
        break;
      }
      response.text('left');
      gate.open();
    });
    const client = fixture.open();
    const body = file('a', 'x', 'one') + file('b', 'y', 'two') + END;
    client.send(post('/', body.length, body, TYPE));
    await until(fixture, () => client.socket.send !== null);
    assert.match(await client.read(), /^HTTP\/1\.1 200 /);
    assert.equal(readdirSync(folder).length, 1);
    await fixture.end();
  });

  for (const [how, at, kept] of [
    ['a full disk ends the loop', 'write', 0],
    ['a file that cannot be made ends the loop', 'create', 0],
    ['the result of the loop is a saveTo() that fails', 'result', 0],
    ['the handler goes on without the file', 'goes on', 2],
    ['the handler goes on without it and leaves later', 'leaves', 2],
  ] as const) {
    test(`as ${how}: ${kept} files stay`, async () => {
      const io = mock.method(NodeAsyncIo.prototype, at === 'create' ? 'create' : 'write');
      const handle = async (request: Request) => {
        for await (const part of request.parts()) {
          if (part.name === 'b') io.mock.mockImplementationOnce(async () => -ERRNO.ENOSPC);
          const saving = part.saveTo(folder);
          if (part.name === 'b' && at === 'result') return saving;
          if (at === 'goes on' || at === 'leaves') await saving.catch(() => {});
          else await saving;
          if (part.name === 'c' && at === 'leaves') break;
        }
        return 'done';
      };
      const body = file('a', 'x', 'one') + file('b', 'y', 'two') + file('c', 'z', 'three') + END;
      try {
        await upload(body, handle, (virtual, _, status) => {
          assert.equal(status, at === 'goes on' || at === 'leaves' ? 200 : 507);
          const [line] = virtual.errors();
          assert.match(line, /POST \/: saveTo\(\): the file .* cannot be \w+: ENOSPC/);
          assert.equal(readdirSync(folder).length, kept);
        });
      } finally {
        io.mock.restore();
      }
    });
  }

  test('later reads fail in the same way', async () => {
    const handle = async (request: Request) => {
      const iterator = request.parts()[Symbol.asyncIterator]();
      const messages: string[] = [];
      const { value } = await iterator.next();
      for (const reading of [
        () => (value as FormPart).bytes({ limit: 2 }),
        () => iterator.next(),
        () => (value as FormPart).stream[Symbol.asyncIterator]().next(),
      ]) {
        await reading().catch((error: Error) => messages.push(error.message));
      }
      return messages;
    };
    await upload(field('a', '123') + END, handle, (_, text) => {
      const message = 'the form has a part of more than 2 bytes';
      const messages = [message, message, 'the content of this part was read already'];
      assert.deepEqual(JSON.parse(text), messages);
    });
  });
});

describe('a form that arrives faster than it is read', () => {
  test('is not received: a client waits for the handler', async () => {
    const gate = new Gate();
    let bytes = 0;
    const fixture = new ConnectionFixture(async (request, response) => {
      for await (const part of request.parts()) {
        for await (const chunk of part.stream) {
          bytes += chunk.length;
          await gate.opened;
        }
      }
      response.text(String(bytes));
    });
    const client = fixture.open();
    const body = file('a', 'x', 'y'.repeat(100_000)) + END;
    client.send(post('/', body.length, '', TYPE));
    let given = 0;
    for (let round = 0; round < 20; round++) {
      given += client.give(body.slice(given));
      await fixture.rest();
    }
    assert.ok(given < 4 * 1024, `${given} bytes were received while the handler waits`);
    assert.ok(bytes < 2 * 1024, `${bytes} bytes reached the handler`);
    gate.open();
    for (let round = 0; given < body.length; round++) {
      assert.ok(round < 1000, 'the rest is received');
      given += client.give(body.slice(given));
      await fixture.rest();
    }
    assert.match(await client.read(), /\r\n\r\n100000$/);
    await fixture.end();
  });
});
