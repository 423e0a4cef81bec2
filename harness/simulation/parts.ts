// Makes the server and the participants of a run.

import type { RuntimeOptions, Runtime as ServerRuntime } from '../../src/server/runtime.ts';
import { Server } from '../../src/server/server.ts';
import { OrdinaryParticipants } from '../application/participants.ts';
import { HostileParticipants } from '../hostile/participants.ts';
import type { Participants, ParticipantsParts } from '../run/participants.ts';
import { type Settings, serverOptions } from '../run/settings.ts';
import type { SimAsyncIo } from '../world/async-io.ts';

export function makeServer(
  settings: Settings,
  asyncIo: SimAsyncIo,
  makeRuntime: (options: RuntimeOptions) => ServerRuntime,
): Server {
  return new Server(
    { host: '127.0.0.1', port: 8080, logLevel: 'error', metrics: true, ...serverOptions(settings) },
    {
      launch: () => null,
      inherited: () => null,
      listening: (_server, listen) => listen(),
      closed: () => {},
      asyncIo,
      makeRuntime,
    },
  );
}

export function makeParticipants(parts: ParticipantsParts): Participants {
  return parts.scenario.hostile === undefined
    ? new OrdinaryParticipants(parts)
    : new HostileParticipants(parts);
}
