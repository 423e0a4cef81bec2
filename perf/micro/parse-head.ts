// Measures parseHead() on a browser-sized and on a small request, beside the parser Node's own http
// module uses, llhttp, called through its binding, in interleaved rounds of one run. That one is
// timed twice: with callbacks for the head and the end, as node:http has, the first of which gets
// the parts as strings, and telling nobody what it read: of no use, but what llhttp itself takes.

import { createRequire } from 'node:module';
import { Head } from '../../src/http/head.ts';
import { parseHead } from '../../src/http/parse-head.ts';

const ROUNDS = 150;
/** Short, so that some rounds fall between what else the machine does. */
const ROUND_MS = 5;
const WARM_UP_ROUNDS = 50;

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

interface Oracle {
  [callback: number]: () => number;
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | Error;
}
interface OracleConstructor {
  new (): Oracle;
  readonly REQUEST: number;
  readonly kOnHeadersComplete: number;
  readonly kOnMessageComplete: number;
}

/** Nanoseconds per call of `run`, the best of `ROUNDS` short rounds a contender, taken in turn. */
function measure(contenders: readonly (() => number)[]): number[] {
  const best = contenders.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    contenders.forEach((run, index) => {
      let calls = 0;
      let nanoseconds = 0n;
      const begin = process.hrtime.bigint();
      while (nanoseconds < BigInt(ROUND_MS) * 1_000_000n) {
        for (let call = 0; call < 500; call++) sink += run();
        calls += 500;
        nanoseconds = process.hrtime.bigint() - begin;
      }
      // The first rounds warm up and are not counted.
      if (round >= WARM_UP_ROUNDS) best[index] = Math.min(best[index], Number(nanoseconds) / calls);
    });
  }
  return best;
}

let sink = 0;

function contendersFor(request: string): (() => number)[] {
  // Not at the start of the memory, as in a slab.
  const padding = 4_099;
  const bytes = new Uint8Array(65_536);
  bytes.set(Buffer.from(request, 'latin1'), padding);
  const end = padding + request.length;
  const head = new Head(LIMITS.fieldsMax);
  const ours = (): number => {
    head.reset();
    return parseHead(bytes, padding, end, head, LIMITS);
  };
  if (ours() !== request.length) throw new Error('the request parses');
  return [ours, oracleFor(request, true), oracleFor(request, false)];
}

function oracleFor(request: string, isTold: boolean): () => number {
  const { HTTPParser } = createRequire(import.meta.url)('_http_common') as {
    HTTPParser: OracleConstructor;
  };
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  if (isTold) {
    parser[HTTPParser.kOnHeadersComplete] = () => 0;
    parser[HTTPParser.kOnMessageComplete] = () => 0;
  }
  const bytes = Buffer.from(request, 'latin1');
  return () => Number(parser.execute(bytes));
}

function main(): void {
  const requests = [BROWSER_REQUEST, SMALL_REQUEST];
  const results = measure(requests.flatMap(contendersFor));
  requests.forEach((request, index) => {
    const [ours, telling, mute] = results.slice(index * 3);
    const line = (name: string, ns: number): string => {
      const rate = (request.length / ns).toFixed(2).padStart(6);
      return `${name} ${ns.toFixed(0).padStart(6)} ns ${rate} GB/s`;
    };
    console.log(`request of ${request.length} bytes`);
    const beside = (name: string, ns: number): string =>
      `${line(name, ns)}  (${(ns / ours).toFixed(1)} x the time)`;
    console.log(`  ${line('parseHead             ', ours)}`);
    console.log(`  ${beside('llhttp                ', telling)}`);
    console.log(`  ${beside('llhttp, telling nobody', mute)}`);
  });
  if (sink === 0) throw new Error('nothing was parsed');
}

main();
