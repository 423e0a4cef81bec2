// Frozen: do not tune, figures depend on it. What the kernel and the foreign calls cost by
// themselves: io_uring through koffi, a fixed response to every blank line received, no HTTP, no
// code of the server.
//
//   node build/perf/floor/uring.js PORT hello|1024 [BYTES]
//
// One accept and one receive a connection stay in the ring for good (multishot), the kernel takes
// receive buffers from a ring of its own, and a turn is one io_uring_enter. Every request arrives
// in full and its response fits in the socket's send buffer, as with the loads that it is made for.

import { createRequire } from 'node:module';
import { floorResponse } from './fixed-response.ts';

type Foreign = (...args: (number | Uint8Array | Int32Array)[]) => number;

interface Koffi {
  load(path: null): { func(prototype: string): Foreign };
  address(memory: Uint8Array | Int32Array): number | bigint;
  view(address: number, bytes: number): ArrayBuffer;
  node: { poll(fd: number, options: { readable: boolean }, readable: () => void): unknown };
}

const koffi = createRequire(import.meta.url)('koffi') as Koffi;
const library = koffi.load(null);
const socket = library.func('int socket(int, int, int)');
const setsockopt = library.func('int setsockopt(int, int, int, void*, uint32_t)');
const bind = library.func('int bind(int, void*, uint32_t)');
const listen = library.func('int listen(int, int)');
const close = library.func('int close(int)');
const shutdown = library.func('int shutdown(int, int)');
const eventfd = library.func('int eventfd(uint32_t, int)');
const read = library.func('intptr_t read(int, void*, size_t)');
const mmap = library.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, long)');
const setUp = library.func('long syscall(long, uint32_t, uintptr_t)');
const register = library.func('long syscall(long, int, uint32_t, uintptr_t, uint32_t)');
const enter = library.func(
  'long syscall(long, int, uint32_t, uint32_t, uint32_t, uintptr_t, size_t)',
);

const IO_URING_SETUP = 425;
const IO_URING_ENTER = 426;
const IO_URING_REGISTER = 427;
const REGISTER_EVENTFD = 4;
const REGISTER_BUFFER_RING = 22;
/** CQSIZE, SINGLE_ISSUER, DEFER_TASKRUN. */
const SETUP_FLAGS = (1 << 3) | (1 << 12) | (1 << 13);
const GET_EVENTS = 1;
const SQES_OFFSET = 0x10000000;
const SQE_BYTES = 64;
const CQE_BYTES = 16;
const BUFFER_ENTRY_BYTES = 16;
const EVENTFD_DISABLED = 1;
const MORE_FOLLOWS = 2;
const BUFFER_SHIFT = 16;
const ENOBUFS = 105;

const OP_ACCEPT = 13;
const OP_SEND = 26;
const OP_RECV = 27;
/** Flags of an entry: take a buffer of a group, post no completion on success. */
const BUFFER_SELECT = 1 << 5;
const SKIP_SUCCESS = 1 << 6;
const ACCEPT_MULTISHOT = 1;
const RECV_MULTISHOT = 2;

const SUBMISSIONS = 4_096;
const COMPLETIONS = 16_384;
const BUFFERS = 1_024;
const BUFFER_BYTES = 4_096;
const BUFFER_GROUP = 1;
/** Responses in one send: more requests than this in one receive end the connection. */
const COPIES = 64;
const BACKLOG = 4_096;
/** Turns between two rounds of Node's loop, and empty ones before sleeping. */
const TURNS_IN_A_ROW = 16;
const EMPTY_TURNS = 2;
const FOREVER_MS = 0x7fffffff;

const READ_WRITE = 3;
const SHARED_POPULATED = 0x8001;
const PRIVATE_ANONYMOUS_POPULATED = 0x8022;
const NONBLOCK = 0x800;
const NOSIGNAL = 0x4000;
const HIGH = 4_294_967_296;
const CR = 13;
const LF = 10;

/** The operation of a completion, in the upper half of its user data; the lower is a descriptor. */
const Kind = { Accept: 1, Receive: 2, Send: 3 } as const;

const [portText = '', responseName = '', bytesText = '0'] = process.argv.slice(2);
const port = Number(portText);
const response = floorResponse(responseName, Number(bytesText));
const responseBytes = response.length;

// struct io_uring_params: 40 bytes, then ten words of offsets for each ring.
const parameters = new Int32Array(30);
parameters[1] = COMPLETIONS;
parameters[2] = SETUP_FLAGS;
const ring = Number(setUp(IO_URING_SETUP, SUBMISSIONS, addressOf(parameters)));
if (ring < 0) fail('io_uring_setup was refused');
const submissionOffsets = parameters.subarray(10, 20);
const completionOffsets = parameters.subarray(20, 30);
const [submissions, completions] = parameters;
const ringBytes = Math.max(
  submissionOffsets[6] + submissions * 4,
  completionOffsets[5] + completions * CQE_BYTES,
);
const [, ringMemory] = mapped(ringBytes, SHARED_POPULATED, ring, 0);
const [, entryMemory] = mapped(submissions * SQE_BYTES, SHARED_POPULATED, ring, SQES_OFFSET);
const words = new Int32Array(ringMemory);
const entries = new Int32Array(entryMemory);
const submissionTail = submissionOffsets[1] >> 2;
const submissionMask = words[submissionOffsets[2] >> 2];
const completionHead = completionOffsets[0] >> 2;
const completionTail = completionOffsets[1] >> 2;
const completionMask = words[completionOffsets[2] >> 2];
const completionEntries = completionOffsets[5] >> 2;
const completionFlags = completionOffsets[6] >> 2;
for (let index = 0; index < submissions; index++)
  words[(submissionOffsets[6] >> 2) + index] = index;

const [buffersAddress, buffersMemory] = anonymous(BUFFERS * BUFFER_BYTES);
const input = new Uint8Array(buffersMemory);
const [bufferRingAddress, bufferRingMemory] = anonymous(BUFFERS * BUFFER_ENTRY_BYTES);
const bufferWords = new Int32Array(bufferRingMemory);
const bufferHalves = new Uint16Array(bufferRingMemory);
/** The tail lies in the last two bytes of the first entry. */
const BUFFER_TAIL = 7;

const [outAddress, outMemory] = anonymous(COPIES * responseBytes);
for (let copy = 0; copy < COPIES; copy++) {
  new Uint8Array(outMemory).set(response, copy * responseBytes);
}
const outLow = outAddress | 0;
const outHigh = (outAddress / HIGH) | 0;

registerBuffers();
const event = eventfd(0, NONBLOCK);
const eventCount = new Uint8Array(8);
const eventHolder = new Int32Array([event]);
if (register(IO_URING_REGISTER, ring, REGISTER_EVENTFD, addressOf(eventHolder), 1) < 0) {
  fail('the ring takes no eventfd');
}
words[completionFlags] |= EVENTFD_DISABLED;

let tail = words[submissionTail];
let unsubmitted = 0;
let bufferTail = 0;
let emptyTurns = 0;
let isAwake = true;

for (let buffer = 0; buffer < BUFFERS; buffer++) giveBack(buffer);
bufferHalves[BUFFER_TAIL] = bufferTail;
const listener = openListener();
accept();
// The timer holds the handle for as long as the process lives: a collected one stops watching.
const handle = koffi.node.poll(event, { readable: true }, wake);
setInterval(() => handle, FOREVER_MS);
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
console.log(`floor uring on 127.0.0.1:${port}, ${responseBytes} bytes an answer`);
run();

function fail(problem: string): never {
  console.error(`floor: ${problem}`);
  process.exit(1);
}

function addressOf(memory: Int32Array): number {
  return Number(koffi.address(memory));
}

function mapped(
  bytes: number,
  flags: number,
  fd: number,
  offset: number,
): readonly [address: number, memory: ArrayBuffer] {
  const address = Number(mmap(0, bytes, READ_WRITE, flags, fd, offset));
  if (address < 0 || address > Number.MAX_SAFE_INTEGER) fail('no memory can be mapped');
  return [address, koffi.view(address, bytes)];
}

function anonymous(bytes: number): readonly [address: number, memory: ArrayBuffer] {
  return mapped(bytes, PRIVATE_ANONYMOUS_POPULATED, -1, 0);
}

function registerBuffers(): void {
  // struct io_uring_buf_reg: address, entries, group.
  const holder = new Int32Array(10);
  holder[0] = bufferRingAddress | 0;
  holder[1] = (bufferRingAddress / HIGH) | 0;
  holder[2] = BUFFERS;
  holder[3] = BUFFER_GROUP;
  if (register(IO_URING_REGISTER, ring, REGISTER_BUFFER_RING, addressOf(holder), 1) < 0) {
    fail('the ring takes no ring of buffers');
  }
}

/** Returns a buffer to the kernel, which sees it once the tail is published. */
function giveBack(buffer: number): void {
  const at = bufferTail & (BUFFERS - 1);
  const address = buffersAddress + buffer * BUFFER_BYTES;
  bufferWords[at * 4] = address | 0;
  bufferWords[at * 4 + 1] = (address / HIGH) | 0;
  bufferWords[at * 4 + 2] = BUFFER_BYTES;
  bufferHalves[at * 8 + 6] = buffer;
  bufferTail = (bufferTail + 1) & 0xffff;
}

function openListener(): number {
  const fd = socket(2, 1, 0);
  const on = new Int32Array([1]);
  // SO_REUSEADDR, TCP_NODELAY; clients inherit the latter.
  setsockopt(fd, 1, 2, on, 4);
  setsockopt(fd, 6, 1, on, 4);
  const name = Buffer.alloc(16);
  name.writeUInt16LE(2, 0);
  name.writeUInt16BE(port, 2);
  name.set([127, 0, 0, 1], 4);
  if (bind(fd, name, 16) < 0 || listen(fd, BACKLOG) < 0) fail(`cannot listen on port ${port}`);
  return fd;
}

/** Writes one struct io_uring_sqe; `first` has opcode, flags and priority. The rest stays zero. */
function submit(
  first: number,
  fd: number,
  low: number,
  high: number,
  length: number,
  flags: number,
  kind: number,
  group: number,
): void {
  const at = (tail & submissionMask) << 4;
  entries[at] = first;
  entries[at + 1] = fd;
  entries[at + 4] = low;
  entries[at + 5] = high;
  entries[at + 6] = length;
  entries[at + 7] = flags;
  entries[at + 8] = fd;
  entries[at + 9] = kind;
  entries[at + 10] = group;
  tail = (tail + 1) | 0;
  unsubmitted += 1;
}

function accept(): void {
  submit(OP_ACCEPT | (ACCEPT_MULTISHOT << 16), listener, 0, 0, 0, 0, Kind.Accept, 0);
}

function receive(fd: number): void {
  const first = OP_RECV | (BUFFER_SELECT << 8) | (RECV_MULTISHOT << 16);
  submit(first, fd, 0, 0, 0, 0, Kind.Receive, BUFFER_GROUP);
}

function send(fd: number, bytes: number): void {
  submit(OP_SEND | (SKIP_SUCCESS << 8), fd, outLow, outHigh, bytes, NOSIGNAL, Kind.Send, 0);
}

function wake(): void {
  read(event, eventCount, 8);
  if (isAwake) return;
  isAwake = true;
  words[completionFlags] |= EVENTFD_DISABLED;
  run();
}

function run(): void {
  for (let index = 0; index < TURNS_IN_A_ROW; index++) {
    if (turn() > 0) {
      emptyTurns = 0;
    } else if (++emptyTurns > EMPTY_TURNS) {
      emptyTurns = 0;
      if (sleeps()) return;
    }
  }
  setImmediate(run);
}

/** False when a completion came at the last moment. */
function sleeps(): boolean {
  words[completionFlags] &= ~EVENTFD_DISABLED;
  if (turn() === 0) {
    isAwake = false;
    return true;
  }
  words[completionFlags] |= EVENTFD_DISABLED;
  return false;
}

function turn(): number {
  Atomics.store(words, submissionTail, tail);
  enter(IO_URING_ENTER, ring, unsubmitted, 0, GET_EVENTS, 0, 0);
  unsubmitted = 0;
  let head = words[completionHead];
  const end = Atomics.load(words, completionTail);
  const count = (end - head) | 0;
  const bufferTailBefore = bufferTail;
  while (head !== end) {
    const at = completionEntries + ((head & completionMask) << 2);
    complete(words[at + 1], words[at], words[at + 2], words[at + 3]);
    head = (head + 1) | 0;
  }
  Atomics.store(words, completionHead, head);
  if (bufferTail !== bufferTailBefore) Atomics.store(bufferHalves, BUFFER_TAIL, bufferTail);
  return count;
}

function complete(kind: number, fd: number, result: number, flags: number): void {
  if (kind === Kind.Receive) received(fd, result, flags);
  else if (kind === Kind.Accept) {
    if (result >= 0) receive(result);
    if ((flags & MORE_FOLLOWS) === 0) accept();
  }
}

function received(fd: number, result: number, flags: number): void {
  if (result === -ENOBUFS) {
    receive(fd);
    return;
  }
  if (result <= 0) {
    close(fd);
    return;
  }
  const buffer = flags >>> BUFFER_SHIFT;
  const wanted = blankLines(buffer * BUFFER_BYTES, result);
  giveBack(buffer);
  // The armed receive completes with the end of the stream, and then the descriptor is closed.
  if (wanted > COPIES) shutdown(fd, 2);
  else if (wanted > 0) send(fd, wanted * responseBytes);
  if ((flags & MORE_FOLLOWS) === 0) receive(fd);
}

/** How many lines of the input are empty: each ends a request. */
function blankLines(start: number, length: number): number {
  let count = 0;
  let matched = 0;
  for (let index = start; index < start + length; index++) {
    const byte = input[index];
    if (byte === CR) {
      matched = matched === 2 ? 3 : 1;
    } else if (byte === LF) {
      if (matched === 1) {
        matched = 2;
      } else {
        if (matched === 3) count += 1;
        matched = 0;
      }
    } else {
      matched = 0;
    }
  }
  return count;
}
