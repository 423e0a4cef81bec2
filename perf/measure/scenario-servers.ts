// What stands around a scenario: the server, the floor that answers with as many bytes, and
// connections that are idle. Before anything is measured every request is asked once.

import { descriptorsOf, freePort, type ServerChild, startServer } from './child-process.ts';
import { startVibing } from '../servers/start-peer.ts';
import { type Probe, probeWith } from '../load/probe.ts';
import { type AskedRequest, bytesOf } from '../catalog/requests.ts';
import type { Scenario } from '../catalog/scenarios.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';

/** For listeners, loads, and what a process has open anyway. */
const SPARE = 200;
const KEPT_MS = 900_000;

/** What a server has to be told to hold all connections of a scenario. */
export function connectionSettings(scenario: Scenario): readonly string[] {
  return [`connectionsMax=${openMost(scenario)}`, `keepAliveTimeoutMs=${KEPT_MS}`];
}

/** As many descriptors as that takes. */
export function openMost({ connections, idleConnections }: Scenario): number {
  return connections + idleConnections + SPARE;
}

export async function startScenarioServer(
  scenario: Scenario,
  driver: string,
): Promise<ServerChild> {
  return startVibing(driver, connectionSettings(scenario), openMost(scenario));
}

/** A floor that answers as the server whose answer that is. */
export async function startScenarioFloor(
  scenario: Scenario,
  response: Probe,
): Promise<ServerChild> {
  const { script, args } = floorCommand(scenario, response, await freePort());
  return startServer(script, { args, core: SERVER_CORE, descriptors: openMost(scenario) });
}

export function floorCommand(
  scenario: Scenario,
  { bytes, body }: Pick<Probe, 'bytes' | 'body'>,
  port: number,
): { readonly script: string; readonly args: readonly string[] } {
  if (scenario.floor === 'epoll') {
    const name = body.length === 1024 ? '1024' : 'hello';
    return { script: 'floor/epoll.ts', args: [String(port), name, String(bytes)] };
  }
  const requestBytes = bytesOf(scenario.requests[0]).length;
  const args = [port, requestBytes, body.length, bytes].map(String);
  return { script: 'floor/sized.ts', args };
}

/** The answer to the first request; rejects when one is not answered as it should be. */
export async function askAll(port: number, { requests }: Scenario): Promise<Probe> {
  const responses: Probe[] = [];
  for (const request of requests) {
    const name = `${request.method} ${request.target}`;
    const response = await probeWith(port, bytesOf(request), name);
    const problem = responseProblem(request, response);
    if (problem !== null) throw new Error(`${name}: ${problem}`);
    responses.push(response);
  }
  const [first] = responses;
  if (responses.some(({ bytes }) => bytes !== first.bytes)) {
    throw new Error('its answers are not of one length, so no floor stands beside them');
  }
  return first;
}

export function responseProblem({ expected }: AskedRequest, response: Probe): string | null {
  if (response.status !== 200) return `answered with ${response.status}`;
  if (typeof expected === 'number') {
    const { length } = response.body;
    return length === expected ? null : `${length} bytes instead of ${expected}`;
  }
  return response.body === expected
    ? null
    : `${JSON.stringify(response.body.slice(0, 80))} came back`;
}

/** Connections that asked once and stay while the child runs; null where none are asked for. */
export async function startIdle(
  scenario: Scenario,
  server: ServerChild,
): Promise<ServerChild | null> {
  const { idleConnections } = scenario;
  if (idleConnections === 0) return null;
  const wanted = idleConnections + SPARE;
  const descriptors = descriptorsOf(wanted);
  if (descriptors < wanted) {
    throw new Error(`a process may have ${descriptors} descriptors (ulimit -Hn), ${wanted} needed`);
  }
  const args = ['--port', `${server.port}`, '--kind', 'idle', '--count', `${idleConnections}`];
  return startServer('crowd.ts', { args, core: LOAD_CORE, descriptors });
}
