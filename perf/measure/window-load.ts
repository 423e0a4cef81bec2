// Windows of servers in turn, asked by one load that stays up: what perf and perf:peers measure by.

import { type ServerChild, startServer } from './child-process.ts';
import type { Latencies } from './results.ts';
import { LOAD_CORE } from '../catalog/setup.ts';

/** What the load is told, as JSON. */
export interface WindowOrder {
  readonly scenario: string;
  readonly port: number;
  /** Whose processor time is read, with its children. */
  readonly pid: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
  /** Requests a second, each timed from when it was due; 0 for as many as are answered. */
  readonly rate: number;
}

export interface WindowFigures {
  readonly rate: number;
  readonly cpuUs: number;
  /** How much of the server's core others had, 0 to 1. */
  readonly othersShare: number;
  readonly loadShare: number;
  /** The load had no time left: the server may be able to do more. */
  readonly isLoadBound: boolean;
  /** Requests that were due and not answered when patience ended. */
  readonly outstanding: number;
  readonly latencyMs: Latencies;
}

export type WindowResponse =
  | { readonly problem: null; readonly figures: WindowFigures }
  | { readonly problem: string };

export interface WindowLength {
  readonly windowMs: number;
  readonly rate: number;
}

/** So that connections are up and caches warm before anything is counted. */
const WARM_UP_MS = 120;
const PATIENCE_MS = 20_000;
/** The most descriptors a load takes: connections in scenarios are fewer by far. */
const LOAD_DESCRIPTORS = 8_192;

export class WindowLoad {
  readonly #child: ServerChild;

  private constructor(child: ServerChild) {
    this.#child = child;
  }

  static async start(): Promise<WindowLoad> {
    const options = { core: LOAD_CORE, descriptors: LOAD_DESCRIPTORS };
    return new WindowLoad(await startServer('load-child.ts', options));
  }

  /** Rejects when anything went wrong with a request or a connection. */
  async run(
    server: Pick<ServerChild, 'pid' | 'port'>,
    scenario: string,
    { windowMs, rate }: WindowLength,
  ): Promise<WindowFigures> {
    const { pid, port } = server;
    const order: WindowOrder = { scenario, port, pid, windowMs, warmUpMs: WARM_UP_MS, rate };
    const response = (await this.#child.ask(
      JSON.stringify(order),
      windowMs + PATIENCE_MS,
    )) as WindowResponse;
    if (response.problem !== null) throw new Error(response.problem);
    return response.figures;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** One window of each in turn, `windows` times; the first stands once more at the end. */
export async function windowsInTurn<T>(
  servers: readonly T[],
  windows: number,
  run: (server: T) => Promise<WindowFigures>,
): Promise<ReadonlyMap<T, readonly WindowFigures[]>> {
  const found = new Map<T, WindowFigures[]>(servers.map((server) => [server, []]));
  for (let round = 0; round < windows; round++) {
    for (const server of servers) found.get(server)?.push(await run(server));
  }
  const [first] = servers;
  if (servers.length > 1) found.get(first)?.push(await run(first));
  return found;
}
