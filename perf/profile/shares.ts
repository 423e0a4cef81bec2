// Assigns each stack to a part of a request: by its innermost frame, and within the kernel by all
// frames of the kernel.

import { isKernel, type Stack, scriptOf } from './stacks.ts';

/** In the order of the table. */
export const PARTS = [
  'kernel: TCP and sockets',
  'kernel: io_uring, epoll',
  'kernel: entry, scheduling, the rest',
  'foreign calls (koffi, libc)',
  'driver',
  'reactor',
  'parsing of requests',
  'connection',
  'routing and handler',
  'exchange',
  'encoding of responses',
  'base',
  'static files',
  'other scripts of the project',
  "Node's scripts",
  'V8 and Node, native',
  'garbage collection, compiler',
  'unknown',
] as const;

export type Part = (typeof PARTS)[number];

const NETWORK_NAMES = [
  ...['tcp', 'inet', 'ip_', 'ip6', 'sock', 'sk_', 'skb', 'net_', 'netif', 'napi', 'dev_'],
  ...['loopback', 'process_backlog', 'sys_send', 'sys_recv', 'x64_sys_send', 'x64_sys_recv'],
  ...['nf_', 'release_sock', 'lock_sock', 'move_addr'],
];
const NETWORK = new RegExp(`^_*(?:${NETWORK_NAMES.join('|')})`);
const WAITING = /io_|epoll|^ep_|eventfd/;
const COLLECTING = /Scaveng|MarkCompact|Sweep|GarbageCollect|Heap::Collect|Evacuat|ConcurrentMark/;
const COMPILING =
  /::compiler::|Turbofan|maglev::|baseline::|interpreter::.*(Generat|Compil)|Compil/;

/** Files that write responses; the other files of http/ read requests. */
const ENCODING_FILES = [
  ...['http/encode', 'http/response-fields', 'http/date', 'http/status'],
  ...['connection/response-writer', 'connection/response-cache'],
].map((name) => `src/${name}.ts`);

const FOLDERS: Readonly<Record<string, Part>> = {
  driver: 'driver',
  reactor: 'reactor',
  http: 'parsing of requests',
  connection: 'connection',
  route: 'routing and handler',
  server: 'routing and handler',
  middleware: 'routing and handler',
  exchange: 'exchange',
  base: 'base',
  static: 'static files',
  'async-io': 'static files',
};

export function partOf(stack: Stack): Part {
  const frame = stack[0];
  if (frame === undefined) return 'unknown';
  if (isKernel(frame)) return kernelPart(stack);
  const { path } = scriptOf(frame);
  if (path !== '') return scriptPart(path);
  const { symbol, object } = frame;
  if (/koffi\.node$|\/libc[.-]|\[vdso\]|\/libpthread/.test(object)) {
    return 'foreign calls (koffi, libc)';
  }
  if (/\/node$|\/libnode\.so|\/libstdc\+\+/.test(object)) {
    const symbols = stack.map((one) => one.symbol);
    const isBackground = symbols.some((one) => COLLECTING.test(one) || COMPILING.test(one));
    if (isBackground) return 'garbage collection, compiler';
    return 'V8 and Node, native';
  }
  return /^Builtins_|^(BytecodeHandler|Builtin|Stub|RegExp):/.test(symbol)
    ? 'V8 and Node, native'
    : 'unknown';
}

function kernelPart(stack: Stack): Part {
  const symbols = stack.filter(isKernel).map(({ symbol }) => symbol);
  if (symbols.some((symbol) => NETWORK.test(symbol))) return 'kernel: TCP and sockets';
  if (symbols.some((symbol) => WAITING.test(symbol))) return 'kernel: io_uring, epoll';
  return 'kernel: entry, scheduling, the rest';
}

function scriptPart(path: string): Part {
  if (path.startsWith('node:')) return "Node's scripts";
  // The handlers of the server that is measured.
  if (path.startsWith('perf/servers/')) return 'routing and handler';
  if (path.startsWith('node_modules/koffi')) return 'foreign calls (koffi, libc)';
  if (ENCODING_FILES.includes(path)) return 'encoding of responses';
  const folder = /^src\/([\w-]+)\//.exec(path)?.[1] ?? '';
  return FOLDERS[folder] ?? 'other scripts of the project';
}

/** The number of stacks of each part. */
export function countParts(stacks: readonly Stack[]): ReadonlyMap<Part, number> {
  const counts = new Map<Part, number>();
  for (const stack of stacks) {
    const part = partOf(stack);
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return counts;
}
