// Driver cases: sends from open files, where the driver can do that.

import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRNO } from '../../../src/base/errno.ts';
import { NOT_CACHED, Op } from '../../../src/driver/driver.ts';
import { Random } from '../../../testing/random.ts';
import type { Case } from './case.ts';
import { pair } from './client.ts';
import { type Fixture, REGION } from './fixture.ts';

const FILE = -1;
const BYTES: number = 3 * 1024 * 1024 + 77;

interface Mapped {
  readonly content: Buffer;
  readonly path: string;
  readonly fd: number;
}

/** Runs with a file in memory that is mapped; without, where the driver cannot send from files. */
async function withFile(
  fixture: Fixture,
  seed: number,
  run: (mapped: Mapped) => Promise<void>,
): Promise<void> {
  const random = new Random(seed);
  const content = Buffer.from(Uint8Array.from({ length: BYTES }, () => random.below(256)));
  const folder = mkdtempSync(join(tmpdir(), 'vibing-driver-file-'));
  const path = join(folder, 'file');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    if (!fixture.driver.mapFile(FILE, fd, 0)) {
      assert.equal(fixture.driver.name, 'net', 'only Node cannot send from files');
      return;
    }
    await run({ content, path, fd });
    fixture.driver.unmap(FILE);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
}

/** One send; its result. */
async function sendOnce(
  fixture: Fixture,
  slot: number,
  start: number,
  end: number,
): Promise<number> {
  fixture.send(slot, FILE, start, end, false);
  return (await fixture.wait(Op.Send, slot)).result;
}

/** The system may drop pages of the file from memory, at any time: so often they are read again. */
const READS_MAX = 1_000;

/** Sends bytes of the file, all of which exist. */
async function sendFile(
  fixture: Fixture,
  slot: number,
  { path }: Mapped,
  start: number,
  end: number,
): Promise<void> {
  let next = start;
  for (let reads = 0; next < end; ) {
    const result = await sendOnce(fixture, slot, next, end);
    if (result === NOT_CACHED && reads < READS_MAX) {
      reads += 1;
      readFileSync(path);
      continue;
    }
    assert.ok(result > 0, `a send of bytes ${next} to ${end}: ${result}`);
    next += result;
  }
  assert.equal(next, end, 'no more is sent than the range');
}

export const fileCases: readonly Case[] = [
  {
    name: 'a file is sent in full and in order',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      await withFile(fixture, seed, async (mapped) => {
        const { content } = mapped;
        await sendFile(fixture, slot, mapped, 0, BYTES);
        await client.hasBytes(BYTES);
        assert.ok(client.bytes.equals(content));
      });
    },
  },
  {
    name: 'parts of a file are sent between memory, also a single byte of it',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      await withFile(fixture, seed, async (mapped) => {
        const { content } = mapped;
        fixture.region.write('head', 'latin1');
        const parts: Buffer[] = [];
        for (const [start, end] of [
          [0, 1],
          [4095, 4097],
          [1_000_001, 2_345_678],
          [BYTES - 1, BYTES],
        ] as const) {
          fixture.send(slot, REGION, 0, 4, true);
          assert.equal((await fixture.wait(Op.Send, slot)).result, 4);
          await sendFile(fixture, slot, mapped, start, end);
          parts.push(Buffer.from('head'), content.subarray(start, end));
        }
        const expected = Buffer.concat(parts);
        await client.hasBytes(expected.length);
        assert.ok(client.bytes.equals(expected));
      });
    },
  },
  {
    name: 'a client that does not read blocks the send from a file, and gets all when it reads',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      await withFile(fixture, seed, async (mapped) => {
        const { content } = mapped;
        client.socket.pause();
        const rounds = 6;
        const sending = (async () => {
          for (let round = 0; round < rounds; round++) {
            await sendFile(fixture, slot, mapped, 0, BYTES);
          }
        })();
        await new Promise((resolve) => setTimeout(resolve, 50));
        client.socket.resume();
        await sending;
        await client.hasBytes(rounds * BYTES);
        for (let round = 0; round < rounds; round++) {
          const part = client.bytes.subarray(round * BYTES, (round + 1) * BYTES);
          assert.ok(part.equals(content), `round ${round}`);
        }
      });
    },
  },
  {
    name: 'beyond the end of a file, or of one that shrank, nothing is sent',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      await withFile(fixture, seed, async (mapped) => {
        const { path, content } = mapped;
        assert.equal(await sendOnce(fixture, slot, BYTES, BYTES + 10), NOT_CACHED);
        truncateSync(path, 5000);
        assert.equal(await sendOnce(fixture, slot, 5000, BYTES), NOT_CACHED);
        await sendFile(fixture, slot, mapped, 0, 5000);
        await client.hasBytes(5000);
        assert.ok(client.bytes.equals(content.subarray(0, 5000)));
      });
    },
  },
  {
    name: 'what is no file in memory is not sent, and the connection goes on',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      await withFile(fixture, seed, async (mapped) => {
        const folder = openSync(tmpdir(), 'r');
        fixture.driver.mapFile(-2, folder, 0);
        fixture.driver.mapFile(-3, 1_000_000, 0);
        for (const region of [-2, -3]) {
          fixture.send(slot, region, 0, 10, false);
          assert.equal((await fixture.wait(Op.Send, slot)).result, NOT_CACHED);
          fixture.driver.unmap(region);
        }
        closeSync(folder);
        await sendFile(fixture, slot, mapped, 0, 3);
        await client.hasBytes(3);
      });
    },
  },
  {
    name: 'abort of a send from a file that waits for room',
    async run({ fixture, seed }) {
      const { client, slot } = await pair(fixture);
      await withFile(fixture, seed, async () => {
        client.socket.pause();
        // Until nothing more fits into the buffers of both ends.
        for (let quiet = 0; quiet < 20; quiet++) {
          if (!fixture.isInFlight(Op.Send, slot)) {
            fixture.takeCompletions(Op.Send, slot);
            fixture.send(slot, FILE, 0, BYTES, false);
            quiet = 0;
          }
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        fixture.abort(slot);
        assert.equal((await fixture.wait(Op.Send, slot)).result, -ERRNO.ECANCELED);
      });
      await fixture.close(slot);
    },
  },
  {
    name: 'abort of a send from a file that was not tried',
    async run({ fixture, seed }) {
      const { slot } = await pair(fixture);
      await withFile(fixture, seed, async () => {
        fixture.send(slot, FILE, 0, BYTES, false);
        fixture.abort(slot);
        assert.equal((await fixture.wait(Op.Send, slot)).result, -ERRNO.ECANCELED);
      });
      await fixture.close(slot);
    },
  },
];
