// Lines of the access log, of given entries: values that are missing or zero, and months.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { LogEntry } from '../../src/middleware/log-entry.ts';
import { combined, common, jsonOf, templateOf } from '../../src/middleware/log-format.ts';

const ENTRY: LogEntry = {
  timeMs: Date.UTC(2026, 0, 31, 23, 59, 58),
  address: '10.0.0.7',
  method: 'GET',
  target: '/a',
  version: '1.1',
  referer: '',
  userAgent: '',
  host: '',
  fault: undefined,
  route: undefined,
  state: {},
  status: 200,
  bytes: 0,
  durationMs: 0.12345,
  complete: true,
};

const { TZ } = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env['TZ'];
  else process.env['TZ'] = TZ;
});

describe('a line', () => {
  it('has the time of UTC, wherever the server is', () => {
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'UTC']) {
      process.env['TZ'] = zone;
      assert.match(common(ENTRY), /\[31\/Jan\/2026:23:59:58 \+0000\]/, zone);
      const december = { ...ENTRY, timeMs: Date.UTC(2025, 11, 31, 12) };
      assert.match(common(december), /\[31\/Dec\/2025:12:00:00 \+0000\]/, zone);
    }
  });

  it('has a dash for what is missing', () => {
    const line = combined({ ...ENTRY, address: '' });
    assert.match(line, /^- - - \[[^\]]+\] "GET \/a HTTP\/1\.1" 200 - "-" "-"$/);
    assert.match(common({ ...ENTRY, bytes: 1 }), / 200 1$/);
  });

  it('of a template has a dash for what is missing, and zeros as they are', () => {
    const line = templateOf('{address} {bytes} {duration_ms} {host} {requestId} {complete}');
    const given = { ...ENTRY, address: '', complete: false };
    assert.equal(line(given), '- 0 0.123 - - false');
    assert.equal(line({ ...ENTRY, state: { requestId: 7 } }), '10.0.0.7 0 0.123 - - true');
  });

  it('has no character that is not visible', () => {
    const given = { ...ENTRY, userAgent: 'a\u007f"\\\u0080\n~ ' };
    const wanted = '"a\\x7f\\"\\\\\\x80\\x0a~ "';
    assert.ok(combined(given).endsWith(wanted), combined(given));
  });

  it('of JSON says that a response is not complete, and only then unless it is asked', () => {
    const fields = (entry: LogEntry, names: Parameters<typeof jsonOf>[0] = null): unknown =>
      JSON.parse(jsonOf(names)(entry)).complete;
    assert.equal(fields(ENTRY), undefined);
    assert.equal(fields({ ...ENTRY, complete: false }), false);
    assert.equal(fields(ENTRY, ['complete']), true);
  });
});
