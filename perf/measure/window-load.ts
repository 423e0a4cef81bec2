// Windows of load on one server after another, by one load process that stays up. All commands that
// use the project's own load measure by it, except for the gate, which runs the load itself.

import { LOAD_CORE } from '../catalog/setup.ts';
import { type ServerChild, startServer } from './child-process.ts';
import type { Latencies } from './results.ts';

/** What the load process is sent, as JSON. */
export interface WindowOrder {
  readonly scenario: string;
  readonly port: number;
  /** The server, whose processor time is read, with that of its children. */
  readonly pid: number;
  readonly windowMs: number;
  readonly warmUpMs: number;
  /** Requests a second in an open loop; 0 for as many as the server responds to. */
  readonly rate: number;
}

export interface WindowFigures {
  readonly rate: number;
  /** Processor time of the server for a request. */
  readonly cpuUs: number;
  /** The share of the server's core that other processes had, 0 to 1. */
  readonly othersShare: number;
  readonly loadShare: number;
  /** The load's core was full: the server may be faster than the figure. */
  readonly isLoadBound: boolean;
  /** Requests that were due and had no response when the load stopped waiting. */
  readonly outstanding: number;
  readonly latencyMs: Latencies;
}

export type WindowReply =
  | { readonly problem: null; readonly figures: WindowFigures }
  | { readonly problem: string };

export interface WindowLength {
  readonly windowMs: number;
  readonly rate: number;
}

/** Connections are up and caches are warm before counting begins. */
const WARM_UP_MS = 120;
const WAIT_MS_MAX = 20_000;
/** More than the connections of any scenario. */
const LOAD_DESCRIPTORS = 8_192;

export class WindowLoad {
  readonly #child: ServerChild;

  private constructor(child: ServerChild) {
    this.#child = child;
  }

  static async start(): Promise<WindowLoad> {
    const options = { core: LOAD_CORE, descriptors: LOAD_DESCRIPTORS };
    return new WindowLoad(await startServer('measure/window-load-process.ts', options));
  }

  /** Rejects when a request or a connection failed. */
  async run(
    server: Pick<ServerChild, 'pid' | 'port'>,
    scenario: string,
    { windowMs, rate }: WindowLength,
  ): Promise<WindowFigures> {
    const { pid, port } = server;
    const order: WindowOrder = { scenario, port, pid, windowMs, warmUpMs: WARM_UP_MS, rate };
    const reply = await this.#child.ask(JSON.stringify(order), windowMs + WAIT_MS_MAX);
    const window = reply as WindowReply;
    if (window.problem !== null) throw new Error(window.problem);
    return window.figures;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** One window of each server in turn, `windows` times; the first has one more at the end. */
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
