// Starts the server that is measured, on its core and on the driver that a measurement needs.

import { SERVER_CORE } from '../catalog/setup.ts';
import { type ServerChild, startServer } from '../measure/child-process.ts';

export interface VibingOptions {
  /** As NAME=NUMBER, by the names of ServerOptions. */
  readonly settings?: readonly string[];
  readonly descriptors?: number;
  readonly nodeFlags?: readonly string[];
  readonly metrics?: boolean;
  /** Further routes, each with five methods. */
  readonly routes?: number;
  /** -1 for any. */
  readonly core?: number;
}

/** Rejects when another driver than the given one came up. */
export async function startVibing(driver: string, given: VibingOptions = {}): Promise<ServerChild> {
  const { core = SERVER_CORE, descriptors = 0, nodeFlags = [], settings = [] } = given;
  const args = ['--driver', driver, ...settings.flatMap((setting) => ['--set', setting])];
  if (given.metrics === true) args.push('--metrics');
  if (given.routes !== undefined) args.push('--routes', String(given.routes));
  const options = { args, core, descriptors, nodeFlags };
  const server = await startServer('servers/vibing.ts', options);
  const problem = driverProblem(server, driver);
  if (problem === null) return server;
  await server.stop();
  throw new Error(problem);
}

/** Why a server's first line does not fit the driver that it was started with; null if it does. */
export function driverProblem({ line }: ServerChild, driver: string): string | null {
  if (driver === 'auto' || line.includes(` ${driver} `)) return null;
  return `the server does not run on the driver ${driver}: ${line}`;
}

/** The driver that a server chose, from its first line. */
export function driverOf({ line }: ServerChild): string {
  return line.split(' ')[1] ?? '';
}
