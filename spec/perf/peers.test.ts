// The compared servers respond correctly in every scenario that they support, so that no figure is
// of a wrong response. Servers that are not installed are left out, as in a run.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { PEER_SCENARIOS, PEERS, supports } from '../../perf/catalog/peers.ts';
import { bytesOf } from '../../perf/catalog/requests.ts';
import { SCENARIOS, scenarioOf } from '../../perf/catalog/scenarios.ts';
import { peerMarkdown } from '../../perf/experiments/peer-table.ts';
import { probeWith } from '../../perf/load/probe.ts';
import { freePort, type ServerChild, startServer } from '../../perf/measure/child-process.ts';
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

describe('peers', { timeout: TIMEOUT_MS, skip: !isLinux && 'they are pinned to cores' }, () => {
  for (const peer of PEERS) {
    if (peer === 'floor') continue;
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
        const floor = await startServer(script, { args });
        try {
          for (const request of scenario.requests) {
            const { bytes } = await probeWith(floor.port, bytesOf(request), scenario.name);
            assert.equal(bytes, response.bytes, scenario.name);
          }
        } finally {
          await floor.stop();
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

describe('the table of peers', () => {
  const peer = (name: (typeof PEERS)[number], rates: readonly number[]) => {
    return { peer: name, rates, microseconds: 10, isMissing: false };
  };

  it('has ours in requests a second and others as multiples of it', () => {
    const text = peerMarkdown([
      { scenario: 'hello', figures: [peer('uring', [90_000, 100_000]), peer('nginx', [45_000])] },
      { scenario: 'json', figures: [peer('uring', [50_000]), peer('fastify', [])] },
    ]);
    assert.deepEqual(text.split('\n'), [
      '| requests/s, 64 connections | hello | json |',
      '| --- | ---: | ---: |',
      '| Vibing, io_uring | 95,000 | 50,000 |',
      '| nginx | 0.50x | - |',
    ]);
  });
});
