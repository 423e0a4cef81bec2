// Runs a load on a virtual clock, against a scripted server.

import assert from 'node:assert/strict';
import { Load, Phase } from '../../src/load/load.ts';
import { type LoadOptions, prepareLoad } from '../../src/load/options.ts';
import { type Script, VirtualServer } from './virtual-server.ts';

export interface Ran {
  readonly load: Load;
  readonly server: VirtualServer;
}

/** Runs a load to its end, a turn every `turnMs`; `act` is called before every turn. */
export function runVirtual(
  options: Omit<LoadOptions, 'url'>,
  script: Script,
  turnMs: number,
  act: (load: Load, elapsedMs: number) => void = () => {},
): Ran {
  const prepared = prepareLoad({ url: 'http://127.0.0.1:80/', ...options });
  assert.ok('requests' in prepared, String(prepared));
  const server = new VirtualServer(script);
  const plan = { ...prepared, address: { host: '127.0.0.1', port: 80 } };
  const events = { counting: () => {}, counted: () => {}, secondEnded: () => {} };
  const load = new Load(plan, server, server.slab, events);
  load.start();
  const startMs = server.nowMs;
  for (let turn = 1; load.phase !== Phase.Closed; turn++) {
    server.goTo(startMs + turn * turnMs);
    act(load, turn * turnMs);
    load.turn();
    assert.ok(turn < 5e6, 'a load ends');
  }
  server.destroy();
  return { load, server };
}
