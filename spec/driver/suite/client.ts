// The peer of a driver under test: a node:net socket that records its bytes and events.

import assert from 'node:assert/strict';
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { Op } from '../../../src/driver/driver.ts';
import { type Fixture, until } from './fixture.ts';

/** All clients of the running case, which destroys them when it ends. */
const all = new Set<Client>();

export class Client {
  readonly socket: Socket;
  readonly parts: Buffer[] = [];
  byteCount = 0;
  connected = false;
  ended = false;
  closed = false;
  errorCode = '';

  constructor(socket: Socket) {
    this.socket = socket;
    all.add(this);
    socket.on('connect', () => {
      this.connected = true;
    });
    socket.on('data', (chunk: Buffer) => {
      this.parts.push(chunk);
      this.byteCount += chunk.length;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(where: number | NetConnectOpts): Promise<Client> {
    const target = typeof where === 'number' ? { host: '127.0.0.1', port: where } : where;
    const socket = createConnection({ ...target, allowHalfOpen: true });
    const client = new Client(socket);
    await until('the client connects', () => client.connected || client.errorCode !== '');
    assert.equal(client.errorCode, '', 'the client connects');
    return client;
  }

  static destroyAll(): void {
    for (const client of all) client.socket.destroy();
    all.clear();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  /** Waits for that many bytes in all. */
  async hasBytes(count: number): Promise<void> {
    await until(
      `${count} bytes at the client, error '${this.errorCode}'`,
      () => this.byteCount >= count || this.errorCode !== '',
    );
    assert.equal(this.byteCount, count);
  }

  async startsWith(text: string): Promise<void> {
    await until(`'${text}' at the client`, () => this.byteCount >= text.length);
    assert.equal(this.text.slice(0, text.length), text);
  }

  async hasEnded(): Promise<void> {
    await until('the end at the client', () => this.ended || this.closed);
    assert.equal(this.errorCode, '');
    assert.ok(this.ended);
  }

  /** Closed, by an end or by a reset. */
  async isGone(): Promise<void> {
    await until('the client is closed', () => this.ended || this.closed);
  }

  /**
   * A reset fails the first write after it; after a plain close that write would still succeed. For
   * a client with bytes unread: libuv takes a reset after a partial read for an end of stream.
   */
  async cannotWrite(): Promise<void> {
    const error = await new Promise((resolve) => this.socket.write('?', resolve));
    assert.ok(error instanceof Error, 'the first write after a reset fails');
  }

  async wasReset(): Promise<void> {
    await until('a reset at the client', () => this.closed || this.ended);
    assert.equal(this.errorCode, 'ECONNRESET');
  }
}

/** A client of a new listener and the slot that serves it. */
export async function pair(
  fixture: Fixture,
): Promise<{ client: Client; slot: number; port: number }> {
  const port = await fixture.listen();
  const client = await Client.open(port);
  return { client, slot: await fixture.accept(), port };
}

/** Acquires all blocks: the free ones, then those that the driver holds for receives. */
export async function starve(fixture: Fixture, port: number): Promise<number[]> {
  const { slab } = fixture;
  const blocks: number[] = [];
  while (slab.freeCount > 0) blocks.push(slab.acquire());
  if (blocks.length === slab.blockCount) return blocks;
  const client = await Client.open(port);
  const slot = await fixture.accept();
  while (blocks.length < slab.blockCount) {
    client.socket.write('x');
    fixture.receive(slot);
    blocks.push((await fixture.wait(Op.Receive, slot)).block);
  }
  return blocks;
}
