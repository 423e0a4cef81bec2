// Measures parseHead() on a browser's request and on a small one, versus llhttp, the parser of
// node:http, called through its binding. llhttp is timed twice: with the callbacks that node:http
// sets, of which the first gets the parts of the head as strings, and without callbacks, which is
// the time of the parser alone.

import { createRequire } from 'node:module';
import { do_not_optimize as keep } from 'mitata';
import { Head } from '../../src/http/head.ts';
import { parseHead } from '../../src/http/parse-head.ts';
import type { BenchCase } from '../bench/case.ts';

const BROWSER_REQUEST = [
  'GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1',
  'Host: www.kittyhell.com',
  'User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) ' +
    'Gecko/20100401 Firefox/3.6.3 Pathtraq/0.9',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: ja,en-us;q=0.7,en;q=0.3',
  'Accept-Encoding: gzip,deflate',
  'Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7',
  'Keep-Alive: 115',
  'Connection: keep-alive',
  'Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; ' +
    '__utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; ' +
    '__utmz=xxxxxxxxx.xxxxxxxxxx.x.x.' +
    'utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral',
  '\r\n',
].join('\r\n');
const SMALL_REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n';
const LIMITS = { headBytesMax: 16_384, targetBytesMax: 8_192, fieldsMax: 100 };
/** Not at the start of the memory, as in a slab. */
const AT = 4_099;

interface Llhttp {
  [callback: number]: () => number;
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | Error;
}
interface LlhttpConstructor {
  new (): Llhttp;
  readonly REQUEST: number;
  readonly kOnHeadersComplete: number;
  readonly kOnMessageComplete: number;
}

export function parserCases(): readonly BenchCase[] {
  return [...casesFor('browser', BROWSER_REQUEST), ...casesFor('small', SMALL_REQUEST)];
}

function casesFor(kind: string, request: string): readonly BenchCase[] {
  const bytes = request.length;
  const ours = `parseHead, ${kind} request`;
  const llhttp = { bytes, versus: ours };
  return [
    { name: ours, bytes, run: parsing(request) },
    { ...llhttp, name: `llhttp, ${kind} request`, run: parsingByLlhttp(request, true) },
    {
      ...llhttp,
      name: `llhttp without callbacks, ${kind} request`,
      run: parsingByLlhttp(request, false),
    },
  ];
}

function parsing(request: string): () => void {
  const bytes = new Uint8Array(65_536);
  bytes.set(Buffer.from(request, 'latin1'), AT);
  const end = AT + request.length;
  const head = new Head(LIMITS.fieldsMax);
  const parse = (): number => {
    head.reset();
    return parseHead(bytes, AT, end, head, LIMITS);
  };
  if (parse() !== request.length) throw new Error('the request was not parsed to its end');
  return () => keep(parse());
}

function parsingByLlhttp(request: string, hasCallbacks: boolean): () => void {
  const { HTTPParser } = createRequire(import.meta.url)('_http_common') as {
    HTTPParser: LlhttpConstructor;
  };
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  if (hasCallbacks) {
    parser[HTTPParser.kOnHeadersComplete] = () => 0;
    parser[HTTPParser.kOnMessageComplete] = () => 0;
  }
  const bytes = Buffer.from(request, 'latin1');
  if (parser.execute(bytes) !== request.length)
    throw new Error('llhttp did not parse the request to its end');
  return () => keep(parser.execute(bytes));
}
