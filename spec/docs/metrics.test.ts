// docs/metrics.md has a row for every metric, its programs run, and the dashboard shows metrics
// that exist. UPDATE_DOCS=1 in the environment writes the table.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CLOSE_REASONS } from '../../src/connection/close-reason.ts';
import type { Family } from '../../src/metrics/family.ts';
import { FAMILIES } from '../../src/metrics/schema.ts';
import { compileSnippets, runSnippet, snippetsOf } from './fixtures/snippets.ts';

const PAGE = 'docs/metrics.md';
const TABLE = /(?<=<!-- metrics: begin -->\n)[\s\S]*(?=<!-- metrics: end -->)/;

function row({ name, type, unit, help, labels, perWorker }: Family): string {
  const all = perWorker === true ? [...labels, 'worker'] : labels;
  const shown = all.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${unit} | ${shown} | ${help} |`;
}

function table(): string {
  const rows = Object.values(FAMILIES).map(row);
  const head = ['| name | type | unit | labels | meaning |', '| --- | --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}

if (process.env['UPDATE_DOCS'] === '1') {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    page.replace(TABLE, () => `\n${table()}\n\n`),
  );
}

test('the page has a row for every metric, with its type, unit, labels and meaning', () => {
  assert.equal(TABLE.exec(readFileSync(PAGE, 'utf8'))?.[0].trim(), table());
});

test('the page explains every reason of a close', () => {
  const page = readFileSync(PAGE, 'utf8');
  for (const reason of CLOSE_REASONS) assert.ok(page.includes(`\`${reason}\``), reason);
});

const snippets = snippetsOf(PAGE);
const folder = compileSnippets(snippets, 'snippets-metrics');

test('the page has programs', () => assert.equal(snippets.length, 2));

for (const snippet of snippets) {
  test(snippet.place, () => runSnippet(snippet, folder));
}

test('the dashboard is complete, and shows metrics that exist', () => {
  const dashboard = JSON.parse(readFileSync('docs/grafana-dashboard.json', 'utf8'));
  const families: readonly Family[] = Object.values(FAMILIES);
  const names = new Set(
    families.flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
    ),
  );
  const labels = new Set(['le', 'job', 'worker', ...families.flatMap((family) => family.labels)]);
  const ids = dashboard.panels.map(({ id }: { id: number }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const shown = dashboard.panels.filter(({ type }: { type: string }) => type !== 'row');
  assert.ok(shown.length >= 20, `${shown.length} panels`);
  for (const { gridPos, targets, title } of shown) {
    assert.ok(gridPos.w > 0 && gridPos.x + gridPos.w <= 24, title);
    assert.ok(targets.length > 0, title);
    for (const { expr } of targets) {
      const found = [...expr.matchAll(/\b(?:http_server|vibing|process)_\w+/g)];
      assert.ok(found.length > 0, `${title}: no metric in ${expr}`);
      for (const [name] of found) {
        assert.ok(names.has(name), `${title}: ${name}`);
      }
      for (const [, label] of expr.matchAll(/(\w+)=~?"/g)) {
        assert.ok(labels.has(label), `${title}: ${label}`);
      }
    }
  }
});
