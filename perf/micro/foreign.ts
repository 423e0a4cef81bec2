// Measures what a call of the C library costs: through koffi, as the Linux drivers make it, and
// through Node's own node:ffi where Node has it (26.1 and later). node:ffi wins for the drivers
// when its recv() by address is faster: addresses are bigints there, and numbers in koffi.

import { createRequire } from 'node:module';
import { do_not_optimize as keep } from 'mitata';
import { ffi } from '../../src/driver/linux/ffi.ts';
import type { BenchCase } from '../bench/case.ts';

/** What is used of node:ffi. */
interface NodeFfi {
  dlopen(
    path: null,
    definitions: Readonly<Record<string, Signature>>,
  ): { readonly functions: Readonly<Record<string, NativeFunction>> };
  getRawPointer(source: Uint8Array): bigint;
}

interface Signature {
  readonly arguments: readonly string[];
  readonly return: string;
}

type NativeFunction = (...values: readonly (number | bigint | Uint8Array)[]) => number | bigint;

/** No descriptor has it, so the kernel is entered and does nothing. */
const BAD_DESCRIPTOR = -1;
const BYTES = 4096;
const KOFFI_ABS = 'koffi: abs()';
const KOFFI_RECV = 'koffi: recv() of no descriptor, by address';

/** None where the library is missing. */
export function foreignCases(): readonly BenchCase[] {
  return [...koffiCases(), ...nodeFfiCases()];
}

function koffiCases(): readonly BenchCase[] {
  const library = ffi();
  if (typeof library === 'string') return [];
  const abs = library.func('int abs(int)');
  const recv = library.func('intptr_t recv(int, uintptr_t, size_t, int)');
  const memory = new Uint8Array(BYTES);
  const address = library.addressOf(memory);
  return [
    { name: KOFFI_ABS, run: () => keep(abs(-7)) },
    { name: KOFFI_RECV, run: () => keep(recv(BAD_DESCRIPTOR, address, memory.length, 0)) },
  ];
}

function nodeFfiCases(): readonly BenchCase[] {
  const library = nodeFfi();
  if (library === null) return [];
  const { functions } = library.dlopen(null, {
    abs: { arguments: ['int32'], return: 'int32' },
    recv: { arguments: ['int32', 'pointer', 'uint64', 'int32'], return: 'int64' },
  });
  const { abs, recv } = functions;
  // A library of its own: a symbol has one signature in each.
  const { recv: narrowRecv } = library.dlopen(null, {
    recv: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
  }).functions;
  const memory = new Uint8Array(BYTES);
  const address = library.getRawPointer(memory);
  const length = BigInt(memory.length);
  return [
    { name: 'node:ffi: abs()', versus: KOFFI_ABS, run: () => keep(abs(-7)) },
    {
      name: 'node:ffi: recv() of no descriptor, by address',
      versus: KOFFI_RECV,
      run: () => keep(recv(BAD_DESCRIPTOR, address, length, 0)),
    },
    {
      name: 'node:ffi: the same, length and result of 32 bits',
      versus: KOFFI_RECV,
      run: () => keep(narrowRecv(BAD_DESCRIPTOR, address, memory.length, 0)),
    },
    {
      name: 'node:ffi: recv() of no descriptor, into an array',
      versus: KOFFI_RECV,
      run: () => keep(recv(BAD_DESCRIPTOR, memory, length, 0)),
    },
  ];
}

/** Null where this Node has none, or was started without it. */
function nodeFfi(): NodeFfi | null {
  try {
    return createRequire(import.meta.url)('node:ffi') as NodeFfi;
  } catch {
    return null;
  }
}
