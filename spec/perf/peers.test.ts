// The compared servers respond correctly in every scenario that they support, so that no figure is
// of a wrong response. Servers that are not installed are left out, as in a run.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { isFloor, PEER_SCENARIOS, PEERS, supports } from '../../perf/catalog/peers.ts';
import { bytesOf } from '../../perf/catalog/requests.ts';
import { SCENARIOS, scenarioOf } from '../../perf/catalog/scenarios.ts';
import { peerMarkdown } from '../../perf/experiments/peer-table.ts';
import { probeWith } from '../../perf/load/probe.ts';
import { freePort, type ServerChild, startServer } from '../../perf/measure/child-process.ts';
import {
  compileFloorInC,
  floorInCArguments,
  floorInCProblem,
  startFloorInC,
} from '../../perf/measure/floor-in-c.ts';
import { floorCommand, probeScenario } from '../../perf/measure/scenario-servers.ts';
import { peerProblem, startPeer } from '../../perf/servers/start-peer.ts';
import { epollProblem } from '../../src/driver/linux/epoll.ts';
import { uringProblem } from '../../src/driver/linux/uring-problem.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { slowTests } from '../../testing/slow-tests.ts';

const slowTest = slowTests();

leaveOutOfCoverage();

const TIMEOUT_MS = 60_000;
const isLinux = process.platform === 'linux';
const noFloor = epollProblem() ?? false;
const noFloorInC = floorInCProblem();

describe('peers', { timeout: TIMEOUT_MS, skip: !isLinux && 'they are pinned to cores' }, () => {
  for (const peer of PEERS) {
    if (isFloor(peer)) continue;
    const problems = { uring: uringProblem(), epoll: epollProblem() } as const;
    const problem =
      peer === 'uring' || peer === 'epoll' ? problems[peer] : (peerProblem(peer) ?? null);
    it(`${peer} responds in its scenarios`, { skip: problem ?? false }, async () => {
      const child = await startPeer(peer);
      try {
        for (const name of PEER_SCENARIOS) {
          if (supports(peer, name)) await probeScenario(child.port, scenarioOf(name));
        }
      } finally {
        await child.stop();
      }
    });
  }
});

describe('floors', { timeout: TIMEOUT_MS, skip: noFloor }, () => {
  slowTest('send as many bytes as the server, in every scenario', async () => {
    const server = await startServer('servers/vibing.ts', { args: ['--driver', 'epoll'] });
    try {
      for (const scenario of SCENARIOS) {
        const response = await probeScenario(server.port, scenario);
        const { script, args } = floorCommand(scenario, response, await freePort());
        const floors = [await startServer(script, { args })];
        try {
          if (noFloorInC === null) floors.push(await startFloorInC(scenario, response, 64));
          for (const floor of floors) {
            for (const request of scenario.requests) {
              const { bytes } = await probeWith(floor.port, bytesOf(request), scenario.name);
              assert.equal(bytes, response.bytes, scenario.name);
            }
          }
        } finally {
          for (const floor of floors) await floor.stop();
        }
      }
    } finally {
      await server.stop();
    }
  });

  slowTest('forget what a connection left behind, and close those that were cut', async () => {
    const args = [String(await freePort()), '10', '5', '80'];
    const floor = await startServer('floor/sized.ts', { args, descriptors: 64 });
    try {
      // Half a request and a reset each, more often than there are descriptors.
      for (let count = 0; count < 100; count++) await half(floor);
      const response = await probeWith(floor.port, Buffer.from('0123456789'), 'ten bytes');
      assert.deepEqual([response.bytes, response.body], [80, 'xxxxx']);
    } finally {
      await floor.stop();
    }
  });
});

function half({ port }: ServerChild): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('01234', () => socket.resetAndDestroy());
    });
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

describe('the floor in C', () => {
  it('is left out with a reason where there is no compiler', () => {
    const floor = compileFloorInC('/no/such/folder');
    assert.ok('problem' in floor);
    assert.match(floor.problem, /^the floor in C needs (a C compiler: apt-get install|Linux)/);
  });

  it('counts lines where requests have no body, and bytes elsewhere', () => {
    const response = { body: 'Hello, World!', bytes: 130 };
    const given = (name: string) => floorInCArguments(scenarioOf(name), response, 80).join(' ');
    assert.equal(given('hello'), '80 lines 13 130');
    const { length } = bytesOf(scenarioOf('json').requests[0]);
    assert.equal(given('json'), `80 ${length} 13 130`);
  });

  const problem = floorInCProblem() ?? false;
  it('responds to each blank line, however requests are split', { skip: problem }, async () => {
    const response = { body: 'hi', bytes: 90, head: '', status: 200 };
    // It compares the length of its response with the given one before it is used.
    const floor = await startFloorInC(scenarioOf('hello'), response, 64);
    try {
      const parts = ['GET / HTTP/1.1\r\nA: b\r', '\n\r\nGET / HTTP/1.1\r\n\r', '\n'];
      const text = await exchange(floor, parts, 2 * response.bytes);
      assert.equal(text.split('HTTP/1.1 200 OK\r\n').length - 1, 2);
      assert.ok(text.endsWith('xx'));
    } finally {
      await floor.stop();
    }
  });
});

/** Sends the parts one after the other; resolves with so many bytes of the response. */
function exchange({ port }: ServerChild, parts: readonly string[], bytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const left = [...parts];
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const sendNext = (): void => {
      const part = left.shift();
      if (part !== undefined) socket.write(part, () => setImmediate(sendNext));
    };
    socket.once('connect', sendNext);
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
      if (text.length >= bytes) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

describe('the table of peers', () => {
  const peer = (name: (typeof PEERS)[number], rates: readonly number[]) => {
    const windows = rates.map((rate) => ({ rate, cpuUs: 1e6 / rate, isLoadBound: false }));
    return { peer: name, windows, isMissing: false };
  };

  it('has ours in requests a second and others as multiples of it', () => {
    const text = peerMarkdown([
      {
        scenario: 'hello',
        figures: [
          peer('floor-c', [180_000, 200_000]),
          peer('uring', [90_000, 100_000]),
          peer('nginx', [45_000]),
        ],
      },
      { scenario: 'json', figures: [peer('uring', [50_000]), peer('fastify', [])] },
    ]);
    assert.deepEqual(text.split('\n'), [
      '| requests/s, 64 connections | hello | json |',
      '| --- | ---: | ---: |',
      '| Vibing, io_uring | 95,000 | 50,000 |',
      '| floor in C | 2.00x | - |',
      '| nginx | 0.50x | - |',
    ]);
  });
});
