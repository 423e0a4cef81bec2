// Request targets from the grammar of RFC 9112 section 3.2 and RFC 3986, in all four forms.

import type { Draw } from '../../testing/random.ts';
import { once, pick } from './choices.ts';
import type { Sink } from './sink.ts';

/** One choice in so many violates the grammar. */
const ODD = 60;

const Form = { Origin: 0, Absolute: 1, Authority: 2, Asterisk: 3, Odd: 4 } as const;

const ODD_TARGETS = ['*', '', 'a', '?a', 'a:80', '//', '%2f'];
const HOSTS = [
  'a',
  'example.com',
  '127.0.0.1',
  '[::1]',
  '[2001:db8::7]',
  '[::ffff:10.0.0.1]',
  '[1:2:3:4:5:6:7:8]',
  'a%20b',
  "-._~!$&'()*+,;=",
];
const ODD_HOSTS = [
  '',
  '[',
  '[]',
  '[:::]',
  '[1::2::3]',
  '[::01.2.3.4]',
  '[1:2:3:4:5:6:7]',
  '[12345::]',
  '[v1.a]',
  '[fe80::1%25a]',
  'a b',
  'a%2',
  'a%zz',
  '\xe9',
  'u@a',
  'u:p@a',
  'a\\b',
];
const PORTS = ['', ':80', ':', ':65535', ':00080'];
const CONNECT_PORTS = [':80', ':443', ':65535', ':00080'];
const ODD_PORTS = ['', ':', ':65536', ':-1', ':8x', ':80:80', ':+80', ':\xb2'];
const SEGMENTS = [
  'a',
  '',
  '/',
  '.',
  '..',
  'b.html',
  '%61',
  '%2e%2E',
  '%2F',
  'c;d=1',
  '@:',
  '%c3%a9',
  '~',
];
const ODD_SEGMENTS = [
  '%',
  '%2',
  '%zz',
  '%00',
  '\\',
  '|',
  '{a}',
  '^',
  '`',
  '[a]',
  '"',
  '<',
  '#',
  '\xe9',
];
const QUERIES = ['?a=b', '?', '?/?', '?%', '?a=[1]', '?..', '?%00'];
const ODD_QUERIES = ['?#', '?"', '?\x7f', '?a#b', '?\xff'];
const SCHEMES = ['http', 'https', 'HTTP', 'hTTps'];
const ODD_SCHEMES = ['ftp', 'httpx', 'h', 'ws', 'urn', ''];

/** Writes a target for a request with this method, sometimes an invalid one. */
export function generateTarget(random: Draw, sink: Sink, method: string): void {
  const form = once(random, ODD) ? Form.Odd : formFor(random, method);
  switch (form) {
    case Form.Authority:
      sink.text(pick(random, once(random, ODD) ? ODD_HOSTS : HOSTS));
      sink.text(pick(random, once(random, ODD) ? ODD_PORTS : CONNECT_PORTS));
      break;
    case Form.Asterisk:
      sink.text('*');
      break;
    case Form.Odd:
      sink.text(pick(random, ODD_TARGETS));
      break;
    default:
      if (form === Form.Absolute) schemeAndAuthority(random, sink);
      if (form === Form.Origin || random(4) < 3) path(random, sink);
      query(random, sink);
  }
}

function formFor(random: Draw, method: string): number {
  if (method === 'CONNECT') return Form.Authority;
  if (method === 'OPTIONS' && random(2) === 1) return Form.Asterisk;
  return random(5) === 4 ? Form.Absolute : Form.Origin;
}

function schemeAndAuthority(random: Draw, sink: Sink): void {
  sink.text(pick(random, once(random, ODD) ? ODD_SCHEMES : SCHEMES));
  sink.text(once(random, ODD) ? ':/' : '://');
  authority(random, sink);
}

function authority(random: Draw, sink: Sink): void {
  sink.text(pick(random, once(random, ODD) ? ODD_HOSTS : HOSTS));
  sink.text(pick(random, once(random, ODD) ? ODD_PORTS : PORTS));
}

function path(random: Draw, sink: Sink): void {
  const count = 1 + random(4);
  for (let index = 0; index < count; index++) {
    sink.text('/');
    sink.text(pick(random, once(random, ODD) ? ODD_SEGMENTS : SEGMENTS));
  }
}

function query(random: Draw, sink: Sink): void {
  if (random(3) < 2) return;
  sink.text(pick(random, once(random, ODD) ? ODD_QUERIES : QUERIES));
}
