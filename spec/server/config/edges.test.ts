// Values of the configuration at their limits exactly, and keys that have a meaning together.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blockBytesFor } from '../../../src/base/limits.ts';
import { configFrom, type ServerOptions } from '../../../src/server/config/config.ts';
import { healthPaths } from '../../../src/server/config/health-keys.ts';
import { readJson } from '../../../src/server/config/json.ts';
import { KEYS } from '../../../src/server/config/keys.ts';
import { metricsPath } from '../../../src/server/config/metrics-keys.ts';
import { type Form, meantBy, valueFrom } from '../../../src/server/config/rules.ts';

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
  // Blocks of 32 KiB fit exactly.
  const exact = { headBytesMax: 31 * 1_024, blockCount: 65_536 };
  assert.equal(blockBytesFor(configFrom(exact).limits) * exact.blockCount, 2 ** 31);
  // A block has room for a response of 16 KiB, however short heads are.
  const least = configFrom({ headBytesMax: 512, targetBytesMax: 256 });
  assert.equal(blockBytesFor(least.limits), 17 * 1_024);
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

it('keys of metrics that do not fit together are a problem, and others are none', () => {
  const bad: readonly (readonly [ServerOptions, RegExp])[] = [
    [{ metrics: false, metricsPort: 1 }, /^createServer: metrics: given false, allowed: true or a/],
    [{ metrics: false, metricsSocket: 'a' }, /^createServer: metrics: given false, allowed: true/],
    [{ metricsPort: 1, metricsSocket: 'a' }, /allowed: one of metrics_port and metrics_socket/],
    [{ metricsHost: '::1' }, /^createServer: metricsHost: given "::1", allowed: an address only/],
    [{ metricsHost: '::1', metricsSocket: 'a' }, /^createServer: metricsHost: given "::1"/],
    [{ metricsPublic: true }, /^createServer: metricsPublic: given true, allowed: true only/],
    [{ metrics: '/a', readyz: '/a' }, /allowed: a path that neither healthz nor readyz has/],
    [{ metrics: '/readyz', healthz: true }, /allowed: a path that neither healthz nor readyz/],
    [{ metrics: '/a', healthz: '/a' }, /allowed: a path that neither healthz nor readyz has/],
  ];
  for (const [options, message] of bad) assert.throws(() => configFrom(options), { message });
  const good: readonly (readonly [ServerOptions, string | true])[] = [
    [{ metricsHost: '::1', metricsPort: 1 }, true],
    [{ metricsPublic: true, metricsPort: 1 }, true],
    [{ metricsPublic: true, metricsSocket: 'a' }, true],
    // On listeners of their own they may have the same path.
    [{ metrics: '/a', readyz: '/a', metricsPort: 1 }, '/a'],
    [{ metrics: '/a', healthz: '/a', metricsSocket: 'a' }, '/a'],
  ];
  for (const [options, metrics] of good) assert.equal(configFrom(options).metrics, metrics);
});

it('a text may be a list, a table or false, as its key has it', () => {
  for (const [option, text, value] of [
    ['cacheControl', 'false', false],
    ['cacheControl', 'no-cache', 'no-cache'],
    ['cacheControl', ' {"*": "no-cache"}', { '*': 'no-cache' }],
    ['cacheControl', '{"*"', undefined],
    ['spa', '0', false],
    ['spa', '1', true],
    ['spa', 'app.html', 'app.html'],
    ['healthz', 'false', false],
    ['index', 'a.html , b.html', ['a.html', 'b.html']],
    ['mounts', '[]', undefined],
    ['mounts', '{"/a": ""}', undefined],
    ['mounts', '{"/a": "b\\u0000"}', undefined],
    ['mounts', '{"/a": "b"}', { '/a': 'b' }],
  ] as const) {
    assert.deepEqual(valueFor(option, text, 'text'), value, `${option} ${text}`);
  }
});

it('a host name does not end in a number, also with a dot behind it', () => {
  for (const host of ['a.1', 'a.1.', '1.', '1.2.3', '1.2.3.4.']) {
    assert.equal(valueFor('host', host, 'option'), undefined, host);
  }
  for (const host of ['a1', 'a.1a', '1a', 'a.b.'])
    assert.equal(valueFor('host', host, 'json'), host);
});

it('permissions that were meant are shown as their form has them', () => {
  const meant = (given: unknown, form: Form) => meantBy({ kind: 'mode' }, given, form);
  assert.deepEqual([meant('660', 'option'), meant('0660', 'option')], ['0o660', '0o660']);
  assert.deepEqual([meant(660, 'json'), meant(' 0660 ', 'text')], ['"660"', '"0660"']);
  assert.equal(meant(1_660, 'json'), undefined);
});

it('a mark of the byte order is left out at the beginning of a file alone', () => {
  const json = readJson('\ufeff{"a": "x\ufeff"}');
  assert.deepEqual(json.ok && json.value, { a: 'x\ufeff' });
  const plain = readJson('{"a": "\ufeffx"}');
  assert.deepEqual(plain.ok && plain.value, { a: '\ufeffx' });
  const lines = readJson('{\r"a": 1,\r\n"b": 2,\n"c": 3 }');
  assert.deepEqual(lines.ok && lines.keys.map(({ line }) => line), [2, 3, 4]);
});
