// Frozen: do not tune, figures depend on it. What the kernel and the foreign calls cost by
// themselves: epoll through koffi, a fixed response to every blank line received, no HTTP, no code
// of the server.
//
//   node build/perf/floor/epoll.js PORT hello|1024 [BYTES]
//
// Every request arrives in full and its response fits in the socket's send buffer, as with the
// loads that it is made for.

import { createRequire } from 'node:module';
import { floorResponse } from './fixed-response.ts';

type Foreign = (...args: (number | Uint8Array | Int32Array)[]) => number;

interface Koffi {
  load(path: null): { func(prototype: string): Foreign };
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
const epollCreate = library.func('int epoll_create1(int)');
const epollControl = library.func('int epoll_ctl(int, int, int, void*)');
const epollWait = library.func('int epoll_wait(int, uintptr_t, int, int)');
const accept = library.func('int accept4(int, uintptr_t, uintptr_t, int)');
const recv = library.func('intptr_t recv(int, uintptr_t, size_t, int)');
const send = library.func('intptr_t send(int, uintptr_t, size_t, int)');
const mmap = library.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, long)');

const BUFFER_BYTES = 65_536;
const EVENTS_MAX = 1_024;
const EVENT_BYTES = 12;
/** Responses in one send: more requests than this in one receive end the connection. */
const COPIES = 64;
const BACKLOG = 4_096;
/** Polls between two rounds of Node's loop, and empty ones before sleeping. */
const POLLS_IN_A_ROW = 16;
const EMPTY_POLLS = 2;
const FOREVER_MS = 0x7fffffff;

const READ_WRITE = 3;
const PRIVATE_ANONYMOUS_POPULATED = 0x8022;
const NONBLOCK = 0x800;
const NOSIGNAL = 0x4000;
const CR = 13;
const LF = 10;

const [portText = '', responseName = '', bytesText = '0'] = process.argv.slice(2);
const port = Number(portText);
const response = floorResponse(responseName, Number(bytesText));
const responseBytes = response.length;

const [inAddress, inMemory] = mapped(BUFFER_BYTES);
const input = new Uint8Array(inMemory);
const [eventsAddress, eventsMemory] = mapped(EVENTS_MAX * EVENT_BYTES);
const events = new Int32Array(eventsMemory);
const [outAddress, outMemory] = mapped(COPIES * responseBytes);
for (let copy = 0; copy < COPIES; copy++) {
  new Uint8Array(outMemory).set(response, copy * responseBytes);
}

const listener = openListener();
const epoll = epollCreate(0);
const event = Buffer.alloc(EVENT_BYTES);
watch(listener);
let emptyPolls = 0;
// The timer holds the handle for as long as the process lives: a collected one stops watching.
const handle = koffi.node.poll(epoll, { readable: true }, run);
setInterval(() => handle, FOREVER_MS);
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
console.log(`floor epoll on 127.0.0.1:${port}, ${responseBytes} bytes an answer`);

function mapped(bytes: number): readonly [address: number, memory: ArrayBuffer] {
  const address = Number(mmap(0, bytes, READ_WRITE, PRIVATE_ANONYMOUS_POPULATED, -1, 0));
  return [address, koffi.view(address, bytes)];
}

function openListener(): number {
  const fd = socket(2, 1 | NONBLOCK, 0);
  const on = new Int32Array([1]);
  // SO_REUSEADDR, TCP_NODELAY; clients inherit the latter.
  setsockopt(fd, 1, 2, on, 4);
  setsockopt(fd, 6, 1, on, 4);
  const name = Buffer.alloc(16);
  name.writeUInt16LE(2, 0);
  name.writeUInt16BE(port, 2);
  name.set([127, 0, 0, 1], 4);
  if (bind(fd, name, 16) < 0 || listen(fd, BACKLOG) < 0) {
    console.error(`floor: cannot listen on port ${port}`);
    process.exit(1);
  }
  return fd;
}

function watch(fd: number): void {
  event.writeUInt32LE(1, 0);
  event.writeInt32LE(fd, 4);
  epollControl(epoll, 1, fd, event);
}

function run(): void {
  for (let index = 0; index < POLLS_IN_A_ROW; index++) {
    if (poll() > 0) {
      emptyPolls = 0;
    } else if (++emptyPolls > EMPTY_POLLS) {
      emptyPolls = 0;
      return;
    }
  }
  setImmediate(run);
}

function poll(): number {
  const count = epollWait(epoll, eventsAddress, EVENTS_MAX, 0);
  for (let index = 0; index < count; index++) {
    const fd = events[index * 3 + 1];
    if (fd === listener) acceptAll();
    else serve(fd);
  }
  return count;
}

function acceptAll(): void {
  for (;;) {
    const fd = accept(listener, 0, 0, NONBLOCK);
    if (fd < 0) return;
    watch(fd);
  }
}

function serve(fd: number): void {
  const received = recv(fd, inAddress, BUFFER_BYTES, 0);
  if (received <= 0) {
    close(fd);
    return;
  }
  const wanted = blankLines(received) * responseBytes;
  if (wanted === 0) return;
  if (wanted > COPIES * responseBytes || send(fd, outAddress, wanted, NOSIGNAL) !== wanted)
    close(fd);
}

/** How many lines of the input are empty: each ends a request. */
function blankLines(length: number): number {
  let count = 0;
  let matched = 0;
  for (let index = 0; index < length; index++) {
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
