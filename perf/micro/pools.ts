// Measures what is acquired and released for every request: blocks of the slab, exchanges with
// their handles, numbers in a ring.

import { do_not_optimize as keep } from 'mitata';
import { Ring } from '../../src/base/ring.ts';
import { Slab } from '../../src/base/slab.ts';
import { ExchangePool } from '../../src/connection/exchange-pool.ts';
import type { Exchange, Services, Transport } from '../../src/exchange/exchange.ts';
import type { BenchCase } from '../bench/case.ts';

const BLOCK_BYTES = 17_408;
const BLOCK_COUNT = 1_024;
const FIELDS_MAX = 100;
/** As many as a busy server acquires in a turn. */
const BATCH = 64;

export function poolsCases(): readonly BenchCase[] {
  return [
    { name: 'slab, one block', run: oneBlock() },
    { name: 'slab, a block of 64', operations: BATCH, run: manyBlocks() },
    { name: 'exchange, one', run: oneExchange() },
    { name: 'exchange, one of 64', operations: BATCH, run: manyExchanges() },
    { name: 'ring, a number of 64', operations: BATCH, run: numbers() },
  ];
}

function oneBlock(): () => void {
  const slab = new Slab(BLOCK_BYTES, BLOCK_COUNT);
  return () => {
    const block = slab.acquire();
    keep(slab.start(block));
    slab.release(block);
  };
}

function manyBlocks(): () => void {
  const slab = new Slab(BLOCK_BYTES, BLOCK_COUNT);
  const taken = new Int32Array(BATCH);
  return () => {
    for (let index = 0; index < BATCH; index++) taken[index] = slab.acquire();
    for (let index = 0; index < BATCH; index++) slab.release(taken[index]);
  };
}

/** A pool after its first request. */
function usedPool(): ExchangePool {
  const pool = new ExchangePool(NO_SERVICES, FIELDS_MAX, true);
  pool.release(pool.acquire(NO_TRANSPORT));
  return pool;
}

function oneExchange(): () => void {
  const pool = usedPool();
  return () => {
    const exchange = pool.acquire(NO_TRANSPORT);
    keep(exchange);
    pool.release(exchange);
  };
}

function manyExchanges(): () => void {
  const pool = usedPool();
  const taken: Exchange[] = [];
  return () => {
    for (let index = 0; index < BATCH; index++) taken.push(pool.acquire(NO_TRANSPORT));
    for (let index = 0; index < BATCH; index++) pool.release(taken.pop() as Exchange);
  };
}

function numbers(): () => void {
  const ring = new Ring(BATCH);
  return () => {
    for (let index = 0; index < BATCH; index++) ring.push(index);
    for (let index = 0; index < BATCH; index++) keep(ring.shift());
  };
}

/** An exchange only stores these two until a handler uses them, which none does here. */
const NO_SERVICES = {} as unknown as Services;
const NO_TRANSPORT = {} as Transport;
