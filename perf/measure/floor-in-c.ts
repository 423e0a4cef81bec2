// The floor in C: perf/floor/floor.c, compiled at its first use where the machine has a compiler.
// It shows what V8 and the foreign calls cost the other floors. Without it a measurement goes on.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PEER_NAMES } from '../catalog/peers.ts';
import { bytesOf } from '../catalog/requests.ts';
import type { Scenario } from '../catalog/scenarios.ts';
import { SERVER_CORE } from '../catalog/setup.ts';
import { type ProbedResponse, probeWith } from '../load/probe.ts';
import { isOnPath } from '../system/prerequisites.ts';
import { freePort, type ServerChild, startCommand } from './child-process.ts';

const FLOOR_IN_C = PEER_NAMES['floor-c'];

/** Compiled, this file lies in build/perf/measure/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCE = join(ROOT, 'perf', 'floor', 'floor.c');
const FOLDER = join(ROOT, 'node_modules', '.cache', 'vibing-floor');
const COMPILERS: readonly string[] = ['cc', 'gcc', 'clang'];
const FLAGS: readonly string[] = ['-O2', '-Wall', '-Wextra', '-Werror'];
const COMPILE_MS_MAX = 60_000;

/** The path of the program, or why there is none, in one line. */
export type FloorInC = { readonly program: string } | { readonly problem: string };

let built: FloorInC | null = null;

/** Compiles it where its source has changed. */
export function floorInC(): FloorInC {
  built ??= compileFloorInC();
  return built;
}

/** Why it cannot run here, in one line; null when it can. */
export function floorInCProblem(): string | null {
  const floor = floorInC();
  return 'problem' in floor ? floor.problem : null;
}

/** `path`: the folders in which a compiler is looked for, as in the variable PATH. */
export function compileFloorInC(path: string = process.env['PATH'] ?? ''): FloorInC {
  if (process.platform !== 'linux') {
    return { problem: `the ${FLOOR_IN_C} needs Linux: it uses epoll` };
  }
  const compiler = COMPILERS.find((name) => isOnPath(name, path));
  if (compiler === undefined) {
    return { problem: `the ${FLOOR_IN_C} needs a C compiler: apt-get install gcc libc6-dev` };
  }
  const key = [compiler, ...FLAGS, readFileSync(SOURCE, 'utf8')].join('\n');
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 16);
  const program = join(FOLDER, `floor-${digest}`);
  if (existsSync(program)) return { program };
  mkdirSync(FOLDER, { recursive: true });
  // Another process may compile it at the same time.
  const ownFile = `${program}.${process.pid}`;
  const { error, status, stderr } = spawnSync(compiler, [...FLAGS, '-o', ownFile, SOURCE], {
    encoding: 'utf8',
    timeout: COMPILE_MS_MAX,
  });
  if (status !== 0) {
    const reason = (error?.message ?? stderr).trim().split('\n', 1)[0];
    return { problem: `the ${FLOOR_IN_C} does not compile with ${compiler}: ${reason}` };
  }
  renameSync(ownFile, program);
  return { program };
}

/** What it is started with, so that it sends as many bytes as `response` has. */
export function floorInCArguments(
  scenario: Scenario,
  { body, bytes }: Pick<ProbedResponse, 'bytes' | 'body'>,
  port: number,
): readonly string[] {
  const [first] = scenario.requests;
  const request = scenario.floor === 'epoll' ? 'lines' : String(bytesOf(first).length);
  return [String(port), request, String(body.length), String(bytes)];
}

/** Rejects when it is not there, or sends another number of bytes than the server. */
export async function startFloorInC(
  scenario: Scenario,
  response: ProbedResponse,
  descriptors: number,
): Promise<ServerChild> {
  const floor = floorInC();
  if ('problem' in floor) throw new Error(floor.problem);
  const command = [floor.program, ...floorInCArguments(scenario, response, await freePort())];
  const child = await startCommand(FLOOR_IN_C, command, { core: SERVER_CORE, descriptors });
  const { bytes } = await probeWith(child.port, bytesOf(scenario.requests[0]), scenario.name);
  if (bytes === response.bytes) return child;
  await child.stop();
  throw new Error(`the ${FLOOR_IN_C} sends ${bytes} bytes, the server ${response.bytes}`);
}
