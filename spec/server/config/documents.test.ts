// The documents agree with the code: docs/configuration.md has every key with its default, range
// and meaning, and docs/config.schema.json accepts what the loader accepts. UPDATE_DOCS=1 in the
// environment writes both.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../../src/server/config/config.ts';
import { KEYS } from '../../../src/server/config/keys.ts';
import { keyTable, type Schema, schemaOf, schemaText } from './fixtures/documents.ts';

const DOCS = new URL('../../../../docs/', import.meta.url);
const TABLE = /(?<=<!-- keys: begin -->\n)[\s\S]*(?=<!-- keys: end -->)/;

if (process.env['UPDATE_DOCS'] === '1') {
  writeFileSync(new URL('config.schema.json', DOCS), schemaText());
  const guide = read('configuration.md');
  writeFileSync(
    new URL('configuration.md', DOCS),
    guide.replace(TABLE, () => `\n${keyTable()}\n\n`),
  );
}

test('the guide has a row for every key, with its default, range and meaning', () => {
  assert.equal(TABLE.exec(read('configuration.md'))?.[0].trim(), keyTable());
  for (const { key, what } of KEYS) {
    assert.match(keyTable(), new RegExp(`^\\| \`${key}\` \\|`, 'm'));
    assert.ok(!what.includes('|'), 'a meaning fits in a cell');
  }
});

test('the guide covers load balancers', () => {
  const guide = read('configuration.md').replace(/\s+/g, ' ');
  assert.match(guide, /60 to 75 seconds/);
  assert.match(guide, /set `connection_timeout_ms`/);
});

test('the example of the guide is a valid configuration', () => {
  const example = /```json\n([\s\S]*?)```/.exec(read('configuration.md'))?.[1] ?? '';
  const loaded = loadConfig({ file: { name: 'x.json', text: example }, env: {}, flags: [] });
  assert.deepEqual(loaded.problems, []);
  assert.equal(loaded.config?.workers, 4);
});

test('the schema file is up to date', () => {
  assert.equal(read('config.schema.json'), schemaText());
});

test('the schema accepts what the loader accepts', () => {
  const edges = KEYS.flatMap(({ rule }) =>
    rule.kind === 'integer' ? [0, rule.min - 1, rule.min, rule.max, rule.max + 1] : [],
  );
  const words = ['auto', 'epoll', 'net', 'info', 'x', '', '660', '0660', '66', '::1', 'Auto'];
  const value = fc.oneof(
    fc.constantFrom<unknown>(...edges, ...words, true, false, null, 1.5, 1024, 1025),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fc.constantFrom(...KEYS), value, (key, given) => {
      // Some keys need another one, and the sum of all blocks is limited.
      const file = { name: 'x.json', text: JSON.stringify({ [key.key]: given }) };
      const { problems } = loadConfig({ file, env: {}, flags: [] });
      const taken = problems.every((line) =>
        /without a socket| bytes together| only together with metrics/.test(line),
      );
      const fits = schemaTakes(schemaOf(key), given);
      if (taken) assert.ok(fits, `${key.key}: the schema rejects ${JSON.stringify(given)}`);
      // The schema does not check the syntax of hosts and paths, nor what is in lists and tables.
      if (['host', 'path', 'shaped'].includes(key.rule.kind)) return;
      assert.equal(taken, fits, `${key.key}: ${JSON.stringify(given)}: ${problems.join('\n')}`);
    }),
    { numRuns: 3_000 },
  );
});

function read(name: string): string {
  return readFileSync(new URL(name, DOCS), 'utf8');
}

function schemaTakes(schema: Schema, value: unknown): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((each) => schemaTakes(each, value));
  if (schema.const !== undefined) return value === schema.const;
  if (schema.enum !== undefined) return schema.enum.some((each) => each === value);
  if (schema.type === 'boolean') return typeof value === 'boolean';
  if (schema.type === 'integer') {
    const { minimum = 0, maximum = 0 } = schema;
    return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
  }
  if (schema.type === 'object') {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
  if (schema.type === 'array') {
    const { items = {} } = schema;
    return Array.isArray(value) && value.every((item) => schemaTakes(items, item));
  }
  if (typeof value !== 'string' || value.length < (schema.minLength ?? 0)) return false;
  return schema.pattern === undefined || new RegExp(schema.pattern).test(value);
}
