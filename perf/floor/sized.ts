// Frozen: do not tune, figures depend on it. The floor for requests with bodies and for large
// responses: epoll through koffi, edge-triggered, a fixed response to every REQUEST_BYTES received,
// no HTTP, no code of the server. It reads no received byte.
//
//   node build/perf/floor/sized.js PORT REQUEST_BYTES BODY_BYTES RESPONSE_BYTES
//
// RESPONSE_BYTES are head and body together. Bytes that the socket does not take wait for room.

import { createRequire } from 'node:module';

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

const BUFFER_BYTES = 131_072;
const EVENTS_MAX = 1_024;
const EVENT_BYTES = 12;
const DESCRIPTORS_MAX = 65_536;
const BACKLOG = 4_096;
/** Polls between two rounds of Node's loop, and empty ones before sleeping. */
const POLLS_IN_A_ROW = 16;
const EMPTY_POLLS = 2;
const FOREVER_MS = 0x7fffffff;

const READ_WRITE = 3;
const PRIVATE_ANONYMOUS_POPULATED = 0x8022;
const NONBLOCK = 0x800;
const NOSIGNAL = 0x4000;
/** EPOLLIN, EPOLLOUT, EPOLLET. */
const READABLE = 1;
const WRITABLE = 4;
const EDGES = 0x80000000;
/** EPOLLERR, EPOLLHUP: the client has reset the connection. */
const GONE = 0x18;

const [port, requestBytes, bodyBytes, responseBytes] = process.argv.slice(2).map(Number);
const [inAddress] = mapped(BUFFER_BYTES);
const [eventsAddress, eventsMemory] = mapped(EVENTS_MAX * EVENT_BYTES);
const events = new Int32Array(eventsMemory);
const [outAddress, outMemory] = mapped(responseBytes);
new Uint8Array(outMemory).set(fixedResponse());
/** By descriptor: bytes received of the next request, and bytes that are left to send. */
const received = new Float64Array(DESCRIPTORS_MAX);
const pending = new Float64Array(DESCRIPTORS_MAX);

const listener = openListener();
const epoll = epollCreate(0);
const event = Buffer.alloc(EVENT_BYTES);
watch(listener, READABLE);
let emptyPolls = 0;
// The timer holds the handle for as long as the process lives: a collected one stops watching.
const handle = koffi.node.poll(epoll, { readable: true }, run);
setInterval(() => handle, FOREVER_MS);
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
console.log(`floor sized on 127.0.0.1:${port}, ${responseBytes} for ${requestBytes} bytes`);

/** Padded with a field, as the responses of other floors are. */
function fixedResponse(): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\nETag: `;
  const fill = responseBytes - bodyBytes - head.length - 4;
  if (!(fill >= 1)) {
    console.error(`floor: an answer of ${responseBytes} bytes cannot be made`);
    process.exit(1);
  }
  return Buffer.from(`${head}${'x'.repeat(fill)}\r\n\r\n${'x'.repeat(bodyBytes)}`, 'latin1');
}

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

function watch(fd: number, bits: number): void {
  event.writeUInt32LE(bits, 0);
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
    const bits = events[index * 3];
    if (fd === listener) {
      acceptAll();
    } else if ((bits & GONE) !== 0) {
      close(fd);
    } else {
      if ((bits & WRITABLE) !== 0 && pending[fd] > 0) respond(fd);
      if ((bits & READABLE) !== 0) serve(fd);
    }
  }
  return count;
}

function acceptAll(): void {
  for (;;) {
    const fd = accept(listener, 0, 0, NONBLOCK);
    if (fd < 0) return;
    received[fd] = 0;
    pending[fd] = 0;
    watch(fd, (READABLE | WRITABLE | EDGES) >>> 0);
  }
}

/** A receive that does not fill the buffer has read everything. */
function serve(fd: number): void {
  for (;;) {
    const count = recv(fd, inAddress, BUFFER_BYTES, 0);
    if (count === 0) close(fd);
    if (count <= 0) return;
    received[fd] += count;
    while (received[fd] >= requestBytes) {
      received[fd] -= requestBytes;
      pending[fd] += responseBytes;
    }
    if (pending[fd] > 0) respond(fd);
    if (count < BUFFER_BYTES) return;
  }
}

/** Sends pending bytes, as far as there is room. */
function respond(fd: number): void {
  while (pending[fd] > 0) {
    const left = pending[fd] % responseBytes || responseBytes;
    const sent = send(fd, outAddress + responseBytes - left, left, NOSIGNAL);
    if (sent <= 0) return;
    pending[fd] -= sent;
    if (sent < left) return;
  }
}
