// The parser of PROXY headers: the cases of the specification (haproxy.org, proxy-protocol.txt),
// all ways in which bytes arrive, and random bytes against a second parser that has all at once.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PROXY_HEADER_BYTES_MAX } from '../../src/base/fixed-limits.ts';
import { ipBytes } from '../../src/base/ip-range.ts';
import { ProxyHeader, ProxyHeaderParser } from '../../src/http/proxy-header.ts';
import { Random } from '../../testing/random.ts';

const SEED = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

interface Result {
  readonly length: number;
  readonly client: readonly [address: string, port: number] | null;
}

function parse(bytes: Uint8Array, end = bytes.length, parser = new ProxyHeaderParser()): Result {
  // With bytes before and after, which are none of its business.
  const memory = Buffer.concat([
    Buffer.from('PROXY '),
    bytes.subarray(0, end),
    Buffer.from('\r\n'),
  ]);
  const length = parser.parse(memory, 6, 6 + end);
  const { client } = parser;
  return { length, client: client === null ? null : [client.address, client.port] };
}

/** The result for all bytes, after every beginning was parsed as well: none contradicts it. */
function parseSplit(bytes: Uint8Array): Result {
  const parser = new ProxyHeaderParser();
  const whole = parse(bytes);
  let isMalformed = false;
  for (let end = 0; end <= bytes.length; end++) {
    const { length } = parse(bytes, end, parser);
    if (whole.length > 0) {
      assert.equal(length, end < whole.length ? ProxyHeader.More : whole.length, `${end} bytes`);
    } else {
      assert.ok(length <= 0, `${end} bytes`);
      if (isMalformed) assert.equal(length, ProxyHeader.Malformed, `${end} bytes`);
      isMalformed = length === ProxyHeader.Malformed;
    }
  }
  return whole;
}

function text(line: string): Buffer {
  return Buffer.from(line, 'latin1');
}

function binary(command: number, family: number, block: Uint8Array, length = block.length): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, block]);
}

function inet(source: string, port: number): Buffer {
  const address = ipBytes(source) ?? new Uint8Array(0);
  const target = Buffer.alloc(address.length, 9);
  return Buffer.concat([address, target, Buffer.from([port >> 8, port & 0xff, 0, 80])]);
}

describe('version 1', () => {
  test('valid lines', () => {
    const cases: readonly (readonly [string, Result['client']])[] = [
      ['PROXY TCP4 192.0.2.1 192.0.2.2 56324 443', ['192.0.2.1', 56324]],
      ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535', ['255.255.255.255', 65535]],
      ['PROXY TCP4 0.0.0.0 0.0.0.0 0 0', ['0.0.0.0', 0]],
      ['PROXY TCP6 2001:DB8::1 ::1 4711 80', ['2001:db8::1', 4711]],
      [
        'PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ' +
          'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535',
        ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 65535],
      ],
      ['PROXY UNKNOWN', null],
      ['PROXY UNKNOWN whatever 1 2 3', null],
      [
        'PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ' +
          'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535',
        null,
      ],
    ];
    for (const [line, client] of cases) {
      const header = text(`${line}\r\n`);
      assert.deepEqual(parseSplit(header), { length: header.length, client }, line);
      const more = Buffer.concat([header, text('GET / HTTP/1.1\r\n')]);
      assert.deepEqual(parseSplit(more), { length: header.length, client }, line);
    }
  });

  test('malformed lines', () => {
    for (const line of [
      'GET / HTTP/1.1\r\n',
      'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY\r\n',
      'PROXY \r\n',
      'PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n',
      'PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n',
      'PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n',
      'PROXY TCP4 192.0.2.1 a.test 1 2\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n',
      'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n',
      'PROXY TCP4 2001:db8::1 ::1 1 2\r\n',
      'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
      'PROXY TCP6 [::1] ::1 1 2\r\n',
      'PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY TCP 192.0.2.1 192.0.2.2 1 2\r\n',
      'PROXY UNKNOWNX\r\n',
      'PROXY UNKNOWN \x00\r\n',
      'PROXY UNKNOWN \xe9\r\n',
      'PROXY unknown\r\n',
    ]) {
      const { length } = parseSplit(text(line));
      // A CR at the end may be followed by LF.
      const expected = line.endsWith('2\r') ? ProxyHeader.More : ProxyHeader.Malformed;
      assert.equal(length, expected, JSON.stringify(line));
    }
  });

  test('a line has 107 bytes at most, with its end', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(107 - 16)}\r\n`;
    assert.equal(longest.length, 107);
    assert.equal(parseSplit(text(longest)).length, 107);
    assert.equal(parseSplit(text(longest.replace('x', 'xx'))).length, ProxyHeader.Malformed);
    const endless = text(`PROXY UNKNOWN ${'x'.repeat(200)}`);
    assert.equal(parse(endless, 106).length, ProxyHeader.More);
    assert.equal(parse(endless, 107).length, ProxyHeader.Malformed);
  });
});

describe('version 2', () => {
  test('valid headers', () => {
    const unix = Buffer.alloc(216, 'x');
    const cases: readonly (readonly [Buffer, Result['client']])[] = [
      [binary(0x21, 0x11, inet('192.0.2.1', 56324)), ['192.0.2.1', 56324]],
      [binary(0x21, 0x21, inet('2001:db8::1', 4711)), ['2001:db8::1', 4711]],
      [binary(0x21, 0x21, inet('::', 0)), ['::', 0]],
      [binary(0x21, 0x31, unix), ['', 0]],
      [binary(0x21, 0x00, Buffer.alloc(0)), null],
      [binary(0x21, 0x00, Buffer.alloc(30)), null],
      [binary(0x20, 0x00, Buffer.alloc(0)), null],
      // The receiver ignores the family of LOCAL, and what follows.
      [binary(0x20, 0x11, inet('192.0.2.1', 1)), null],
      [binary(0x20, 0xff, Buffer.from('x')), null],
    ];
    for (const [header, client] of cases) {
      assert.deepEqual(
        parseSplit(header),
        { length: header.length, client },
        header.toString('hex'),
      );
      const more = Buffer.concat([header, text('GET / HTTP/1.1\r\n')]);
      assert.deepEqual(parseSplit(more), { length: header.length, client });
    }
    const mapped = Buffer.concat([
      Buffer.from('00000000000000000000ffffc0000201', 'hex'),
      Buffer.alloc(16),
      Buffer.from([0, 1, 0, 2]),
    ]);
    assert.deepEqual(parse(binary(0x21, 0x21, mapped)).client, ['192.0.2.1', 1]);
  });

  test('additional data is skipped, up to the limit', () => {
    const most = PROXY_HEADER_BYTES_MAX - 16;
    const block = Buffer.concat([inet('192.0.2.1', 7), Buffer.alloc(most - 12, 4)]);
    const longest = binary(0x21, 0x11, block);
    assert.deepEqual(parse(longest), { length: longest.length, client: ['192.0.2.1', 7] });
    assert.equal(parse(longest, longest.length - 1).length, ProxyHeader.More);
    // It is refused as soon as its length is known.
    const fixed = binary(0x21, 0x11, Buffer.alloc(0), most + 1);
    assert.equal(parse(fixed, 15).length, ProxyHeader.More);
    assert.equal(parse(fixed).length, ProxyHeader.Malformed);
    assert.equal(parse(binary(0x20, 0, Buffer.alloc(0), 0xffff)).length, ProxyHeader.Malformed);
  });

  test('malformed headers', () => {
    const block = inet('192.0.2.1', 7);
    for (const header of [
      binary(0x11, 0x11, block),
      binary(0x31, 0x11, block),
      binary(0x22, 0x11, block),
      binary(0x2f, 0x11, block),
      binary(0x01, 0x11, block),
      binary(0x21, 0x10, block),
      binary(0x21, 0x01, block),
      binary(0x21, 0x12, block),
      binary(0x21, 0x22, Buffer.alloc(36)),
      binary(0x21, 0x32, Buffer.alloc(216)),
      binary(0x21, 0x41, Buffer.alloc(216)),
      binary(0x21, 0x13, block),
      binary(0x21, 0x11, block.subarray(1)),
      binary(0x21, 0x21, Buffer.alloc(35)),
      binary(0x21, 0x31, Buffer.alloc(215)),
      binary(0x21, 0x11, Buffer.alloc(0)),
    ]) {
      assert.equal(parseSplit(header).length, ProxyHeader.Malformed, header.toString('hex'));
    }
    for (let index = 0; index < SIGNATURE.length; index++) {
      const header = binary(0x21, 0x11, block);
      header[index] ^= 1;
      const { length } = parseSplit(header);
      assert.equal(length, ProxyHeader.Malformed, `byte ${index}`);
      assert.equal(parse(header, index + 1).length, ProxyHeader.Malformed, 'at once');
    }
  });
});

/** The second parser, for bytes that have all arrived. */
function model(bytes: Buffer): Result {
  const malformed = { length: ProxyHeader.Malformed, client: null };
  if (bytes.subarray(0, 12).equals(SIGNATURE) && bytes.length >= 16) {
    const length = 16 + bytes.readUInt16BE(14);
    const [command, family] = [bytes[12], bytes[13]];
    if ((command !== 0x20 && command !== 0x21) || length > 4096) return malformed;
    const sizes: Record<number, number> = { 0: 0, 17: 12, 33: 36, 49: 216 };
    const size = command === 0x20 ? 0 : sizes[family];
    if (size === undefined || length - 16 < size) return malformed;
    if (bytes.length < length) return { length: 0, client: null };
    if (size === 0) return { length, client: null };
    if (size === 216) return { length, client: ['', 0] };
    const half = (size - 4) / 2;
    const url = (groups: string) => new URL(`http://[${groups}]`).hostname.slice(1, -1);
    const hex = bytes.subarray(16, 16 + half).toString('hex');
    const address =
      half === 4 ? bytes.subarray(16, 20).join('.') : url((hex.match(/.{4}/g) ?? []).join(':'));
    return { length, client: [address, bytes.readUInt16BE(16 + 2 * half)] };
  }
  const lines = bytes.toString('latin1').split('\r\n');
  const [line] = lines;
  const words = line.split(' ');
  const isText = /^[ -~]*$/.test(line) && words[0] === 'PROXY';
  if (lines.length < 2 || line.length > 105 || !isText) return malformed;
  const length = line.length + 2;
  if (words[1] === 'UNKNOWN') return { length, client: null };
  const [, family, source, target, ...ports] = words;
  const size = family === 'TCP4' ? 4 : family === 'TCP6' ? 16 : 0;
  const fits = (address = '') =>
    (size === 4) === !address.includes(':') && !address.includes('%') && ipBytes(address) !== null;
  if (size === 0 || !fits(source) || !fits(target) || ports.length !== 2) return malformed;
  if (!ports.every((port) => String(Number(port)) === port && Number(port) < 65_536)) {
    return malformed;
  }
  if (!ports.every((port) => /^\d+$/.test(port))) return malformed;
  return { length, client: [source.toLowerCase(), Number(ports[0])] };
}

function randomHeader(random: Random): Buffer {
  const port = random.below(65_536);
  const address = random.pick(['192.0.2.1', '10.0.0.1', '2001:db8::1', '::1', '1:2:3:4:5:6:7:8']);
  if (random.once(2)) {
    const family = address.includes(':') ? 'TCP6' : 'TCP4';
    const line = random.once(6)
      ? 'PROXY UNKNOWN'
      : `PROXY ${family} ${address} ${address} ${port} 80`;
    return text(`${line}\r\nGET`);
  }
  const family = address.includes(':') ? 0x21 : 0x11;
  const more = Buffer.alloc(random.below(20), 7);
  const block = Buffer.concat([inet(address, port), more]);
  return Buffer.concat([binary(random.pick([0x20, 0x21]), family, block), text('GET')]);
}

/** A header with some bytes changed, removed or repeated. */
function mutated(random: Random, header: Buffer): Buffer {
  let bytes = header;
  for (let count = random.below(3); count > 0; count--) {
    const at = random.below(bytes.length);
    const rest = bytes.subarray(at + random.pick([0, 1, 1, 2]));
    const byte = Buffer.from([random.pick([random.below(256), 0x20, 0x0d, 0x0a, 0x30, 0x3a])]);
    bytes = Buffer.concat([bytes.subarray(0, at), ...(random.once(4) ? [] : [byte]), rest]);
  }
  return bytes;
}

test(`random headers: the same as the model, in all splits, seed ${SEED}`, () => {
  const random = new Random(SEED);
  const counts = { read: 0, malformed: 0 };
  for (let run = 0; run < 4_000; run++) {
    const bytes = mutated(random, randomHeader(random));
    const expected = model(bytes);
    const result = parseSplit(bytes);
    const shown = `${bytes.toString('hex')} ${bytes.toString('latin1')}`;
    // What the model calls malformed may have been cut off.
    if (result.length === 0) assert.ok(expected.length <= 0, shown);
    else
      assert.deepEqual(
        result,
        expected.length < 0 ? { ...expected, client: null } : expected,
        shown,
      );
    if (result.length > 0) counts.read += 1;
    else counts.malformed += 1;
  }
  assert.ok(counts.read > 500 && counts.malformed > 500, JSON.stringify(counts));
});
