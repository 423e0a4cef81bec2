// Validation of bodies, forms and queries by schemas of other libraries: what the handler gets,
// what the client learns of a value that does not fit, and what follows when a schema fails.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type } from 'arktype';
import * as v from 'valibot';
import * as z from 'zod';
import { PROBLEM_DETAIL_CHARACTERS_MAX, PROBLEM_ERRORS_MAX } from '../../src/base/fixed-limits.ts';
import type { HttpError } from '../../src/exchange/http-error.ts';
import type {
  SchemaIssue,
  SchemaResult,
  StandardSchema,
} from '../../src/exchange/standard-schema.ts';
import type { Server } from '../../src/server/server.ts';
import { get, post } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { withSite } from '../../testing/virtual-site.ts';

const ZOD = z.object({ name: z.string().min(1), age: z.coerce.number().int().positive() });
const VALIBOT = v.object({
  name: v.pipe(v.string(), v.minLength(1)),
  age: v.pipe(v.unknown(), v.transform(Number), v.number(), v.integer(), v.minValue(1)),
});
const ARKTYPE = type({
  name: 'string > 0',
  age: 'string.numeric.parse |> number > 0 | number > 0',
});

interface User {
  readonly name: string;
  readonly age: number;
}
const LIBRARIES: readonly (readonly [string, StandardSchema<unknown, User>])[] = [
  ['zod', ZOD as StandardSchema<unknown, User>],
  ['valibot', VALIBOT as StandardSchema<unknown, User>],
  ['arktype', ARKTYPE as unknown as StandardSchema<unknown, User>],
];

/** A schema that returns what a function does. */
function schemaOf(
  check: (value: unknown) => SchemaResult<unknown> | Promise<SchemaResult<unknown>>,
): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: check } };
}

function issues(...found: SchemaIssue[]): StandardSchema {
  return schemaOf(() => ({ issues: found }));
}

interface ProblemBody {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

function problemIn(response: RawResponse): ProblemBody {
  assert.equal(response.status, 400);
  assert.equal(response.field('content-type'), 'application/problem+json');
  return JSON.parse(response.text);
}

function jsonRoute(schema: StandardSchema): (server: Server) => void {
  return (server) => {
    server.post('/', async (request, response) => {
      response.json(await request.json({ validate: schema }));
    });
  };
}

describe('json({ validate })', () => {
  for (const [library, schema] of LIBRARIES) {
    test(`with ${library}: the value that it returns, or 400 with all that is wrong`, async () => {
      await withSite(jsonRoute(schema), async ({ ask, errors }) => {
        const good = await ask(post('/', '{"name":"Ada","age":"36"}'));
        assert.deepEqual(JSON.parse(good.text), { name: 'Ada', age: 36 });
        const problem = problemIn(await ask(post('/', '{"name":"","age":-1}')));
        assert.deepEqual(
          [problem.title, problem.status, problem.detail],
          ['Bad Request', 400, 'the body is not valid'],
        );
        const pointers = problem.errors.map(({ pointer }) => pointer);
        assert.deepEqual(pointers.sort(), ['#/age', '#/name']);
        for (const { detail } of problem.errors) assert.ok(detail.length > 5, detail);
        assert.equal(problemIn(await ask(post('/', '7'))).errors[0].pointer, '#');
        assert.deepEqual(errors(), []);
      });
    });
  }

  test('types the value', async () => {
    const typed = (server: Server) => {
      server.post('/', async (request, response) => {
        const user = await request.json({ validate: ZOD });
        const length: number = user.name.length + user.age;
        // @ts-expect-error: the schema has no such member
        response.json([length, user.other ?? null]);
      });
    };
    await withSite(typed, async ({ ask }) => {
      assert.equal((await ask(post('/', '{"name":"Ada","age":1}'))).text, '[4,null]');
    });
  });

  test('a body that is not JSON never reaches the schema', async () => {
    let calls = 0;
    const counting = schemaOf((value) => {
      calls += 1;
      return { value };
    });
    await withSite(jsonRoute(counting), async ({ ask }) => {
      for (const body of ['{', '\xff', '{"__proto__":1}', '['.repeat(1000) + ']'.repeat(1000)]) {
        assert.equal((await ask(post('/', body))).status, 400);
      }
      assert.equal(calls, 0);
      assert.equal((await ask(post('/', '1'))).status, 200);
      assert.equal(calls, 1);
    });
  });

  test('an asynchronous schema is awaited', async () => {
    const slow = schemaOf(async (value) => {
      await new Promise((resolve) => setImmediate(resolve));
      return value === 1 ? { value: 'one' } : { issues: [{ message: 'is not one' }] };
    });
    await withSite(jsonRoute(slow), async ({ ask }) => {
      assert.equal((await ask(post('/', '1'))).text, '"one"');
      const { errors } = problemIn(await ask(post('/', '2')));
      assert.deepEqual(errors, [{ pointer: '#', detail: 'is not one' }]);
    });
  });

  test('a schema that throws or returns nonsense is a 500 with a line in the log', async () => {
    const broken: readonly StandardSchema[] = [
      schemaOf(() => {
        throw new Error('the schema is broken');
      }),
      schemaOf(() => Promise.reject(new Error('the schema is broken'))),
      schemaOf(() => undefined as unknown as SchemaResult<unknown>),
      schemaOf(() => ({ issues: 7 }) as unknown as SchemaResult<unknown>),
      schemaOf(() => ({ issues: [null] }) as unknown as SchemaResult<unknown>),
    ];
    for (const schema of broken) {
      await withSite(jsonRoute(schema), async ({ ask, errors }) => {
        const response = await ask(post('/', '1'));
        assert.deepEqual([response.status, response.text], [500, 'Internal Server Error\n']);
        assert.equal(errors().length, 1);
      });
    }
  });

  test('a schema that never settles ends with the 503 of handler_timeout_ms', async () => {
    const never = schemaOf(() => new Promise(() => {}));
    const options = { handlerTimeoutMs: 50 };
    await withSite(
      jsonRoute(never),
      async ({ virtual: owner }) => {
        const client = owner.open();
        await client.ask(post('/', '1'));
        owner.pass(60);
        assert.match(client.take(), /^HTTP\/1\.1 503 /);
      },
      options,
    );
  });

  test('what is no schema, and an unknown option, is a mistake of the handler', async () => {
    for (const validate of [{}, null, 7, () => {}, { '~standard': {} }, { '~standard': null }]) {
      await withSite(jsonRoute(validate as unknown as StandardSchema), async (virtual) => {
        assert.equal((await virtual.ask(post('/', '1'))).status, 500);
        assert.match(
          virtual.errors()[0],
          /json\(\): validate is a schema with the Standard Schema/,
        );
      });
    }
    const unknown = (server: Server) => {
      server.post('/', async (request, response) => {
        response.json(await request.json({ limt: 7 } as object));
      });
    };
    await withSite(unknown, async ({ ask, errors }) => {
      assert.equal((await ask(post('/', '1'))).status, 500);
      assert.match(errors()[0], /json\(\): there is no option "limt"; did you mean limit\?/);
    });
  });
});

describe('what is wrong with a value', () => {
  test('has JSON Pointers in URI fragments, with escapes, also for path segments', async () => {
    const symbol = Symbol('s');
    const schema = issues(
      { message: 'a', path: ['list', 0, { key: 'x' }, symbol] },
      { message: 'b', path: ['a/b', 'c~d', 'e f', 'é', '%', '#', '\ud800'] },
      { message: 'c', path: [] },
      { message: 'd' },
      { message: '', path: ['', ''] },
    );
    await withSite(jsonRoute(schema), async ({ ask }) => {
      assert.deepEqual(problemIn(await ask(post('/', '1'))).errors, [
        { pointer: '#/list/0/x/Symbol(s)', detail: 'a' },
        { pointer: '#/a~1b/c~0d/e%20f/%C3%A9/%25/%23/%EF%BF%BD', detail: 'b' },
        { pointer: '#', detail: 'c' },
        { pointer: '#', detail: 'd' },
        { pointer: '#//', detail: '' },
      ]);
    });
  });

  test('is bounded in number and length', async () => {
    const long = 'x'.repeat(10_000);
    const many = Array.from({ length: 1000 }, () => ({ message: long, path: [long] }));
    await withSite(jsonRoute(issues(...many)), async ({ ask }) => {
      const { errors } = problemIn(await ask(post('/', '1')));
      assert.equal(errors.length, PROBLEM_ERRORS_MAX);
      assert.equal(errors[0].detail, `${'x'.repeat(PROBLEM_DETAIL_CHARACTERS_MAX)}...`);
      assert.equal(errors[0].pointer.length, PROBLEM_DETAIL_CHARACTERS_MAX + 3);
    });
  });

  test('reaches onError() as an HttpError with a problem', async () => {
    const seen: unknown[] = [];
    const own = (server: Server) => {
      jsonRoute(issues({ message: 'no', path: ['a'] }))(server);
      server.onError((error, _request, response) => {
        const { status, message, problem } = error as HttpError;
        seen.push(status, message, problem);
        response.status(422).text('other');
      });
    };
    await withSite(own, async ({ ask }) => {
      assert.equal((await ask(post('/', '1'))).status, 422);
      const problem = { errors: [{ pointer: '#/a', detail: 'no' }] };
      assert.deepEqual(seen, [400, 'the body is not valid', problem]);
    });
  });
});

describe('validation of what is not JSON', () => {
  const List = z.object({ tag: z.union([z.string(), z.array(z.string())]), n: z.coerce.number() });
  const routes = (server: Server) => {
    server.get('/query', async (request, response) => {
      response.json(await request.validate(List, request.query));
    });
    server.get('/params/:n', async (request, response) => {
      const { n } = await request.validate(z.object({ n: z.coerce.number() }), request.params);
      response.json(n + 1);
    });
    server.post('/form', async (request, response) => {
      response.json(await request.form({ validate: List }));
    });
    server.post('/read', async (request, response) => {
      response.json(await request.validate(List, await request.form()));
    });
  };
  const FORM = 'Content-Type: application/x-www-form-urlencoded';

  test('query, parameters and forms: names that occur again have a list', async () => {
    await withSite(routes, async ({ ask }) => {
      const { text } = await ask(get('/query?tag=a&n=7&tag=b&tag=c&tag=b'));
      assert.deepEqual(JSON.parse(text), { tag: ['a', 'b', 'c', 'b'], n: 7 });
      assert.equal((await ask(get('/params/41'))).text, '42');
      for (const target of ['/form', '/read']) {
        const response = await ask(post(target, 'tag=a&n=7', FORM));
        assert.deepEqual(JSON.parse(response.text), { tag: 'a', n: 7 });
      }
      const part = '--b\r\nContent-Disposition: form-data; name="tag"\r\n\r\na\r\n';
      const n = part.replace('tag', 'n').replace('\r\na\r\n', '\r\n7\r\n');
      const multipart = 'Content-Type: multipart/form-data; boundary=b';
      const files = await ask(post('/form', `${part}${part}${n}--b--`, multipart));
      assert.deepEqual(JSON.parse(files.text), { tag: ['a', 'a'], n: 7 });
    });
  });

  test('what does not fit is 400, and says what it was', async () => {
    await withSite(routes, async ({ ask }) => {
      const query = problemIn(await ask(get('/query?tag=a&n=x')));
      assert.equal(query.detail, 'the request is not valid');
      assert.equal(query.errors[0].pointer, '#/n');
      const form = problemIn(await ask(post('/form', 'n=1', FORM)));
      assert.equal(form.detail, 'the form is not valid');
      assert.equal(form.errors[0].pointer, '#/tag');
      assert.equal((await ask(get('/params/x'))).status, 400);
    });
  });

  test('a field __proto__ is 400', async () => {
    await withSite(routes, async ({ ask }) => {
      const query = await ask(get('/query?tag=a&n=1&__proto__=x'));
      assert.equal(query.status, 400);
      assert.match(query.text, /the query has the key __proto__/);
      const form = await ask(post('/form', 'tag=a&n=1&__proto__=x', FORM));
      assert.equal(form.status, 400);
      assert.match(form.text, /the form has the key __proto__/);
      const read = await ask(post('/read', 'tag=a&n=1&__proto__=x', FORM));
      assert.match(read.text, /the form has the key __proto__/);
    });
  });
});

describe('the limit of a call', () => {
  const CALLS = ['bytes', 'text', 'json', 'form'] as const;
  const limited = (limit: number) => (server: Server) => {
    for (const call of CALLS) {
      server.post(`/${call}`, async (request, response) => {
        await request[call]({ limit });
        response.text('read');
      });
    }
  };
  const FORM = 'Content-Type: application/x-www-form-urlencoded';
  const bodyOf = (call: string, length: number) =>
    call === 'json' ? `"${'x'.repeat(length - 2)}"` : 'x'.repeat(length);

  test('replaces body_bytes_max, downwards and upwards', async () => {
    for (const [limit, bodyBytesMax] of [
      [100, 50],
      [100, 1000],
    ]) {
      await withSite(
        limited(limit),
        async ({ ask }) => {
          for (const call of CALLS) {
            const most = await ask(post(`/${call}`, bodyOf(call, limit), FORM));
            assert.equal(most.status, 200, call);
            const more = await ask(post(`/${call}`, bodyOf(call, limit + 1), FORM));
            assert.equal(more.status, 413, call);
          }
        },
        { bodyBytesMax },
      );
    }
  });

  test('that is no whole number is a mistake of the handler', async () => {
    for (const limit of [-1, 1.5, Number.NaN]) {
      await withSite(limited(limit), async ({ ask, errors }) => {
        for (const call of CALLS) {
          assert.equal((await ask(post(`/${call}`, 'x', FORM))).status, 500);
        }
        assert.match(errors()[0], /bytes\(\): limit is a whole number of bytes, 0 or more, given/);
      });
    }
  });
});
