// What is read of a file, and what happens when it cannot be opened or read to the end: a file in
// memory with faults behind res.file().

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FileKind, type OpenFile } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { Random } from '../../testing/random.ts';
import { get, RawClient } from '../../testing/raw-client.ts';
import { chosenDrivers, type DriverName, oneDriver } from '../../testing/with-server.ts';
import { makeServer } from '../static/fixtures/site.ts';
import { readParts } from './fixtures/byteranges.ts';

const random = new Random(11);
const CONTENT = Uint8Array.from({ length: 700_000 }, () => random.below(256));
const FILE = 1_000_000;

/** One file in memory. Reads are short, as those of pipes and networks, when `most` is small. */
class MemoryFile extends NodeAsyncIo {
  readonly lines: string[] = [];
  readonly reads: [from: number, to: number][] = [];
  most = Number.POSITIVE_INFINITY;
  /** The result of open(), when it is not 0; and of reads at and behind `faultAt`. */
  openFault = 0;
  faultAt = Number.POSITIVE_INFINITY;
  readFault = 0;
  openCount = 0;

  override printError(text: string): void {
    this.lines.push(text);
  }

  override async open(): Promise<OpenFile | number> {
    if (this.openFault !== 0) return this.openFault;
    this.openCount += 1;
    const times = { modifiedMs: 1_000_000, changedMs: 1_000_000 };
    const stat = { kind: FileKind.File, bytes: CONTENT.length, ...times, inode: 1, device: 1 };
    return { file: FILE, stat };
  }

  override async read(file: number, into: Uint8Array, position: number): Promise<number> {
    assert.equal(file, FILE);
    if (position >= this.faultAt) return this.readFault;
    const to = Math.min(position + into.length, position + this.most, CONTENT.length, this.faultAt);
    into.set(CONTENT.subarray(position, to));
    this.reads.push([position, to]);
    return to - position;
  }

  override async close(file: number): Promise<number> {
    assert.equal(file, FILE);
    this.openCount -= 1;
    return 0;
  }
}

async function withFile(
  driver: DriverName,
  file: MemoryFile,
  body: (client: RawClient) => Promise<void>,
): Promise<void> {
  const server = makeServer(driver, { logLevel: 'error' }, file);
  server.get('/', (_req, res) => res.file('/f.bin'));
  server.get('/next', (_req, res) => res.text('next'));
  const { port } = await server.listen();
  const client = await RawClient.open(port);
  try {
    await body(client);
  } finally {
    client.reset();
    await server.close();
  }
  assert.equal(file.openCount, 0, 'every file that was opened is closed');
}

for (const driver of chosenDrivers()) {
  describe(`reads, driver ${driver}`, () => {
    it('ranges read their bytes and no others', async () => {
      const file = new MemoryFile();
      await withFile(driver, file, async (client) => {
        for (const [range, expected] of [
          ['5-9', [[5, 10]]],
          ['-7', [[699_993, 700_000]]],
          ['699999-', [[699_999, 700_000]]],
          [
            '10-19,400000-400009',
            [
              [10, 20],
              [400_000, 400_010],
            ],
          ],
        ] as const) {
          file.reads.length = 0;
          const response = await client.ask(get('/', `Range: bytes=${range}`));
          assert.equal(response.status, 206);
          assert.deepEqual(file.reads, expected);
        }
        for (const lines of [['If-None-Match: *'], ['If-Match: "x"'], ['Range: bytes=700000-']]) {
          file.reads.length = 0;
          assert.ok((await client.ask(get('/', ...lines))).status > 300);
          assert.deepEqual(file.reads, [], 'nothing is read for a response without content');
        }
      });
    });

    it('short reads continue where they ended', async () => {
      const file = new MemoryFile();
      await withFile(driver, file, async (client) => {
        file.most = 10_007;
        const all = await client.ask(get('/'));
        assert.ok(all.body.equals(CONTENT));
        const response = await client.ask(get('/', 'Range: bytes=1000-99999,500000-600000'));
        const [first, second] = readParts(response);
        assert.ok(first.content.equals(CONTENT.subarray(1000, 100_000)));
        assert.ok(second.content.equals(CONTENT.subarray(500_000, 600_001)));
      });
    });

    for (const [what, readFault, logged] of [
      ['shrinks', 0, /truncated: the file ended \d+ bytes before its Content-Length/],
      ['fails', -ERRNO.EIO, /truncated: the file cannot be read: errno 5/],
    ] as const) {
      for (const [range, sent] of [
        ['', 650_000],
        ['Range: bytes=640000-699999', 10_000],
        ['Range: bytes=0-9,640000-699999', 10_000],
        ['Range: bytes=690000-690009,0-9', 0],
      ] as const) {
        it(`a file that ${what}: the response is truncated, ${range}`, async () => {
          const file = new MemoryFile();
          file.faultAt = 650_000;
          file.readFault = readFault;
          await withFile(driver, file, async (client) => {
            await client.send(get('/', ...(range === '' ? [] : [range])));
            await assert.rejects(client.nextResponse(), /no complete response/);
            assert.ok(client.receivedBytes <= sent + 1000);
            assert.equal(file.lines.length, 1);
            assert.match(file.lines[0], logged);
          });
        });
      }
    }
  });
}

for (const driver of oneDriver()) {
  describe(`open, driver ${driver}`, () => {
    for (const [name, status, isLogged] of [
      ['ENOENT', 404, false],
      ['EACCES', 403, false],
      ['EMFILE', 503, true],
      ['ENFILE', 503, true],
      ['ENOMEM', 503, true],
      ['EIO', 500, true],
    ] as const) {
      it(`${name} is ${status}, and nothing of it is remembered`, async () => {
        const file = new MemoryFile();
        await withFile(driver, file, async (client) => {
          file.openFault = -ERRNO[name];
          const response = await client.ask(get('/', 'Range: bytes=0-1', 'If-None-Match: *'));
          assert.equal(response.status, status);
          assert.ok(!response.text.includes('f.bin'), 'the path is not sent');
          assert.equal(file.lines.length, isLogged ? 1 : 0);
          file.openFault = 0;
          assert.equal((await client.ask(get('/', 'Range: bytes=0-1'))).status, 206);
        });
      });
    }
  });
}
