// docs/api.md lists every name, option and field of the export vibing/load, and no other.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import * as exported from '../../src/load/index.ts';
import { LoadProblem, runLoad } from '../../src/load/index.ts';
import { prepareLoad } from '../../src/load/options.ts';

const text = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
const section = text.slice(text.indexOf('\n## Load\n'));
const [exportRows, optionRows, fieldRows] = section
  .split(/^\| --- .*\n/m)
  .slice(1)
  .map((table) => table.split('\n\n', 1)[0].split('\n'));

/** The names that the first cells of a table have. */
function namesIn(rows: readonly string[] | undefined): readonly string[] {
  assert.ok(rows !== undefined, 'there are three tables');
  return rows.flatMap((row) => {
    const [, cell = ''] = row.split(' | ', 1)[0].split('| ');
    return [...cell.matchAll(/`(\w+)[(`]/g)].map(([, name]) => name);
  });
}

describe('the documentation of vibing/load', () => {
  it('has every value that is exported', () => {
    assert.deepEqual([...namesIn(exportRows)].sort(), Object.keys(exported).sort());
  });

  it('has every option', () => {
    const names = namesIn(optionRows);
    // An unknown option is a problem.
    const url = 'http://127.0.0.1:1/';
    for (const name of names) {
      const problems = prepareLoad({ url, [name]: undefined });
      assert.ok(!Array.isArray(problems) || !String(problems).includes('no such option'), name);
    }
    const source = readFileSync(new URL('../../../src/load/options.ts', import.meta.url), 'utf8');
    const [body = ''] = /export interface LoadOptions \{[^}]*\}/.exec(source) ?? [];
    const known = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
    assert.deepEqual([...names].sort(), known.sort());
  });

  it('has every field of a report, and of its percentiles', async () => {
    const server = createServer((_request, response) => void response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const report = await runLoad({ url: `http://127.0.0.1:${port}/`, count: 20, connections: 2 });
    server.close();
    assert.deepEqual([...namesIn(fieldRows)].sort(), Object.keys(report).sort());
    for (const group of [report.latencyMs, report.load, report.series[0] ?? {}, report.waiting]) {
      for (const name of Object.keys(group)) assert.match(section, new RegExp(`\\b${name}\\b`));
    }
    for (const percent of Object.keys(report.latencyMs.percentiles)) {
      assert.ok(section.includes(`\`'${percent}'\``), percent);
    }
  });

  it('is right about rejections', async () => {
    const misuse = await runLoad({ url: 'http://' }).catch((error) => error);
    assert.ok(misuse instanceof LoadProblem && misuse.isUsageError && misuse.problems.length === 1);
    const fixture = await runLoad({ url: 'http://127.0.0.1:1/' }).catch((error) => error);
    assert.ok(fixture instanceof LoadProblem && !fixture.isUsageError);
  });
});
