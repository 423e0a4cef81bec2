// Profiles of the server: parsing stacks of perf, naming their frames, assigning each stack to a
// part of a request, and finding hot files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { unhide } from '../../perf/profile/draw.ts';
import { hotFilesText, maximaOf, samplesOf, sharesOf } from '../../perf/profile/hot-files.ts';
import { countParts, partOf } from '../../perf/profile/shares.ts';
import { placeIn } from '../../perf/profile/sources.ts';
import { type Frame, frameNames, parseStacks } from '../../perf/profile/stacks.ts';

const MAP = '/a/perf-4752.map';
const KERNEL = '[kernel.kallsyms]';

const PRINTED = [
  'node  4752 26956.230156:    1001001 cpu-clock: ',
  `\t    7f6658057385 JS:*turn file:///srv/vibing/src/reactor/reactor.ts:59:7+0x5 (${MAP})`,
  `\t         14ce0dc Builtins_JSEntryTrampoline+0x5c (/usr/bin/node)`,
  `\t         14cde03 Builtins_JSEntry+0x83 (/usr/bin/node)`,
  `\t          c494db v8::internal::(anonymous namespace)::Invoke+0x12b (/usr/bin/node)`,
  '',
  'node  4752 26956.232690:    1001001 cpu-clock: ',
  `\tffffffff822010c9 tcp_rcv_established+0x19 (${KERNEL})`,
  `\tffffffff81b60e22 io_send+0xd2 (${KERNEL})`,
  `\t          101829 syscall+0x19 (/usr/lib/x86_64-linux-gnu/libc.so.6)`,
  `\t           9bb44 [unknown] (/srv/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node)`,
  `\t        2bfcf090 [unknown] ([unknown])`,
  '',
  'V8 DefaultWorke  4756 26956.3:    1001001 cpu-clock: ',
  '',
].join('\n');

describe('stacks of perf', () => {
  it('are read with their symbols and files; one without frames is left out', () => {
    const stacks = parseStacks(PRINTED);
    assert.deepEqual(
      stacks.map((stack) => stack.length),
      [4, 5],
    );
    assert.deepEqual(stacks[0][0], {
      symbol: 'JS:*turn file:///srv/vibing/src/reactor/reactor.ts:59:7',
      object: MAP,
    });
    assert.equal(stacks[0][3].symbol, 'v8::internal::(anonymous namespace)::Invoke');
    assert.deepEqual(stacks[1][0], { symbol: 'tcp_rcv_established', object: KERNEL });
    assert.deepEqual(parseStacks(''), []);
  });

  it('have short names, the outermost first', () => {
    const [script, foreign] = parseStacks(PRINTED);
    assert.deepEqual(frameNames(script), ["node's event loop", 'turn src/reactor/reactor.ts:59']);
    assert.deepEqual(frameNames(foreign), [
      'foreign call (koffi)',
      'syscall [libc.so.6]',
      'io_send [kernel]',
      'tcp_rcv_established [kernel]',
    ]);
  });

  it('name functions without a name', () => {
    const frames = [js('JS:^ file:///srv/vibing/src/driver/linux/uring.ts:76:60')];
    assert.deepEqual(frameNames(frames), ['node', 'anonymous src/driver/linux/uring.ts:76']);
  });
});

describe('the bundle of the package', () => {
  it('is mapped to its sources', () => {
    const bundle = new URL('../../../dist/vibing.js', import.meta.url);
    const lines = readFileSync(bundle, 'utf8').split('\n');
    const line = lines.findIndex((text) => text.startsWith('function parseHead(')) + 1;
    const place = placeIn(bundle.href, line, 10);
    assert.equal(place?.path, 'src/http/parse-head.ts');
    const source = new URL('../../../src/http/parse-head.ts', import.meta.url);
    const sourceLine = readFileSync(source, 'utf8').split('\n')[place.line - 1];
    assert.match(sourceLine, /^export function parseHead\(/);
    assert.equal(placeIn('file:///nowhere/else.js', 1, 1), null);
    const frame = js(`JS:*parseHead ${bundle.href}:${line}:10`);
    assert.equal(partOf([frame]), 'parsing of requests');
  });
});

describe('parts of a request', () => {
  it('follow from the innermost frame, and in the kernel from all of its frames', () => {
    const samples: [Frame[], string][] = [
      [[js('JS:*turn file:///v/src/reactor/reactor.ts:59:7')], 'reactor'],
      [[js('JS:*poll file:///v/src/driver/linux/epoll.ts:9:7')], 'driver'],
      [[js('JS:*parseHead file:///v/src/http/parse-head.ts:9:7')], 'parsing of requests'],
      [[js('JS:*encodeHead file:///v/src/http/encode.ts:9:7')], 'encoding of responses'],
      [[js('JS:*full file:///v/src/connection/response-writer.ts:9:7')], 'encoding of responses'],
      [[js('JS:*advance file:///v/src/connection/connection.ts:9:7')], 'connection'],
      [[js('JS:*find file:///v/src/route/router.ts:9:7')], 'routing and handler'],
      [[js('JS:* file:///v/perf/servers/vibing.ts:48:17')], 'routing and handler'],
      [[js('JS:*x file:///v/src/index.ts:1:1')], 'other scripts of the project'],
      [[js('JS:^setImmediate node:timers:282:22')], "Node's scripts"],
      [[kernel('tcp_ack'), kernel('io_send')], 'kernel: TCP and sockets'],
      [[kernel('__memcpy'), kernel('skb_copy_datagram_iter')], 'kernel: TCP and sockets'],
      [[kernel('ep_poll'), kernel('do_epoll_wait')], 'kernel: io_uring, epoll'],
      [[kernel('io_submit_sqes'), kernel('do_syscall_64')], 'kernel: io_uring, epoll'],
      [[kernel('entry_SYSCALL_64')], 'kernel: entry, scheduling, the rest'],
      [[{ symbol: 'recv', object: '/lib/libc.so.6' }], 'foreign calls (koffi, libc)'],
      [[{ symbol: '[unknown]', object: '/x/koffi.node' }], 'foreign calls (koffi, libc)'],
      [[node('Builtins_Call_ReceiverIsAny')], 'V8 and Node, native'],
      [
        [node('memset_inner'), node('v8::internal::Scavenger::Process')],
        'garbage collection, compiler',
      ],
      [[{ symbol: 'clock_gettime', object: '[vdso]' }], 'foreign calls (koffi, libc)'],
      [[{ symbol: 'bbr_main', object: '[tcp_bbr]' }], 'kernel: entry, scheduling, the rest'],
      [[{ symbol: '[unknown]', object: '[unknown]' }], 'unknown'],
    ];
    for (const [stack, part] of samples) assert.equal(partOf(stack), part, stack[0].symbol);
  });

  it('are counted', () => {
    const counts = countParts(parseStacks(PRINTED));
    assert.deepEqual(
      [...counts],
      [
        ['reactor', 1],
        ['kernel: TCP and sockets', 1],
      ],
    );
  });
});

describe('pages of 0x', () => {
  it('show native code at first; an unknown version of 0x is an error', () => {
    const page = "a = new Set(['cpp', 'regexp', 'v8', 'native', 'init']);";
    assert.equal(unhide(page), 'a = new Set();');
    assert.throws(() => unhide('a = new Set();'), /hides native code in an unknown way/);
  });
});

describe('hot files', () => {
  const bundle = new URL('../../../dist/vibing.js', import.meta.url);
  const lines = readFileSync(bundle, 'utf8').split('\n');
  const sample = (name: string, hitCount: number) => {
    const lineNumber = lines.findIndex((text) => text.startsWith(`function ${name}(`));
    return { hitCount, callFrame: { url: bundle.href, lineNumber, columnNumber: 9 } };
  };
  const elsewhere = { url: 'node:timers', lineNumber: 1, columnNumber: 1 };

  it('are files with a share of the samples in src/, by source map', () => {
    const nodes = [
      sample('parseHead', 600),
      sample('parseHead', 395),
      sample('encodeHead', 5),
      { hitCount: 9_000, callFrame: elsewhere },
      { callFrame: elsewhere },
    ];
    const shares = sharesOf(samplesOf({ nodes }));
    assert.deepEqual(Object.fromEntries(shares), {
      'src/http/parse-head.ts': 0.995,
      'src/http/encode.ts': 0.005,
    });
  });

  it('are listed by path with their largest share, from 0.5 % on', () => {
    const most = maximaOf([
      new Map([
        ['src/b.ts', 0.9],
        ['src/a.ts', 0.1],
        ['src/cold.ts', 0.0049],
      ]),
      new Map([['src/a.ts', 0.25]]),
    ]);
    assert.deepEqual(JSON.parse(hotFilesText(most)), {
      node: process.version,
      files: { 'src/a.ts': 0.25, 'src/b.ts': 0.9 },
    });
    assert.match(hotFilesText(most), /src\/a\.ts[\s\S]*src\/b\.ts/);
  });
});

function js(symbol: string): Frame {
  return { symbol, object: MAP };
}

function kernel(symbol: string): Frame {
  return { symbol, object: KERNEL };
}

function node(symbol: string): Frame {
  return { symbol, object: '/usr/bin/node' };
}
