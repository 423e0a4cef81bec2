// Values of the configuration at their limits exactly, and keys that have a meaning together.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blockBytesFor } from '../../../src/base/limits.ts';
import { configFrom } from '../../../src/server/config/config.ts';
import { healthPaths } from '../../../src/server/config/health-keys.ts';
import { KEYS } from '../../../src/server/config/keys.ts';
import { metricsPath } from '../../../src/server/config/metrics-keys.ts';
import { type Form, valueFrom } from '../../../src/server/config/rules.ts';

function valueFor(option: string, given: unknown, form: Form): unknown {
  const key = KEYS.find((one) => one.option === option);
  assert.ok(key !== undefined, option);
  return valueFrom(key.rule, given, form);
}

it('a host name has labels of up to 63 and up to 253 characters', () => {
  const label = 'a'.repeat(63);
  const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`;
  assert.equal(longest.length, 253);
  for (const host of ['a', label, `${label}.b`, longest]) {
    assert.equal(valueFor('host', host, 'option'), host);
  }
  for (const host of ['', `a${label}`, `b.a${label}`, `${longest}a`, 'a.1', '1', '-a', 'a-']) {
    assert.equal(valueFor('host', host, 'option'), undefined, host);
  }
});

it('a path has as many bytes as its key allows, whatever its characters', () => {
  for (const { option, rule } of KEYS) {
    if (rule.kind !== 'path') continue;
    const { bytesMax } = rule;
    for (const [path, isAllowed] of [
      ['a'.repeat(bytesMax), true],
      ['a'.repeat(bytesMax + 1), false],
      [`${'é'.repeat((bytesMax - 1) / 2)}${'a'.repeat(1 + ((bytesMax - 1) % 2))}`, true],
      ['é'.repeat(Math.floor(bytesMax / 2) + 1), false],
      ['', false],
      ['a\0', false],
    ] as const) {
      const what = `${option}, ${path.length} characters`;
      assert.equal(valueFor(option, path, 'option'), isAllowed ? path : undefined, what);
    }
  }
});

it('each number has both of its bounds and nothing beyond', () => {
  for (const { option, rule } of KEYS) {
    if (rule.kind !== 'integer') continue;
    const { max, min } = rule;
    for (const value of [min, max]) assert.equal(valueFor(option, value, 'json'), value, option);
    for (const value of [min - 1, max + 1, min + 0.5]) {
      assert.equal(valueFor(option, value, 'json'), undefined, `${option} ${value}`);
    }
  }
});

it('permissions are three octal digits, or four with a zero first', () => {
  for (const form of ['json', 'text'] as const) {
    for (const [digits, mode] of [
      ['660', 0o660],
      ['0660', 0o660],
      ['000', 0],
      ['777', 0o777],
      ['1777', undefined],
      ['00660', undefined],
      ['66', undefined],
      ['668', undefined],
    ]) {
      assert.equal(valueFor('socketMode', digits, form), mode, String(digits));
    }
  }
});

it('all blocks have 2 GiB together at most', () => {
  const { limits } = configFrom({});
  const most = Math.floor(2 ** 31 / blockBytesFor(limits));
  assert.equal(configFrom({ blockCount: most }).limits.blockCount, most);
  assert.throws(() => configFrom({ blockCount: most + 1 }), /allowed: 2147483648 bytes together/);
});

it('a path for healthz turns readyz on, and a listener turns metrics on', () => {
  for (const [healthz, readyz, paths] of [
    [false, undefined, [null, null]],
    [true, undefined, ['/healthz', '/readyz']],
    ['/alive', undefined, ['/alive', '/readyz']],
    ['/alive', false, ['/alive', null]],
    [false, true, [null, '/readyz']],
    [false, '/ready', [null, '/ready']],
  ] as const) {
    const found = healthPaths({ healthz, readyz });
    assert.deepEqual([found.healthz, found.readyz], paths);
  }
  const off = { metrics: false, metricsPort: undefined, metricsSocket: undefined };
  for (const [keys, path] of [
    [{}, null],
    [{ metrics: true }, '/metrics'],
    [{ metricsPort: 0 }, '/metrics'],
    [{ metricsSocket: 'a' }, '/metrics'],
    [{ metrics: '/a', metricsPort: 0 }, '/a'],
  ] as const) {
    assert.equal(metricsPath({ ...off, ...keys }), path);
  }
});
