// The participants of an ordinary run: handlers as users write them, and clients that compare every
// response with the expected one.

import type { Server } from '../../src/server/server.ts';
import { Judge } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import { planClient, planProbe, planStaller, planTruncator } from '../clients/shapes.ts';
import type { Participants, ParticipantsParts } from '../run/participants.ts';
import { REQUESTS_PER_RUN } from '../run/scenario.ts';
import { SITE } from '../world/files.ts';
import { ensure } from '../world/violation.ts';
import { type ApplicationState, addRoutes } from './routes.ts';

export class OrdinaryParticipants implements Participants {
  readonly requestsMin: number = REQUESTS_PER_RUN;
  readonly planClient: Participants['planClient'] = planClient;
  readonly planProbe: Participants['planProbe'] = planProbe;
  readonly planTruncator: Participants['planTruncator'] = planTruncator;
  readonly planStaller: Participants['planStaller'] = planStaller;
  readonly isQuiet: boolean = true;
  readonly occurred: ReadonlyMap<string, number> = new Map();
  readonly #server: Server;
  readonly #state: ApplicationState;

  constructor({ server, loop, reused }: ParticipantsParts) {
    const after = (ms: number, run: () => void): void => {
      loop.after(ms, run);
    };
    this.#server = server;
    this.#state = addRoutes(server, { after, site: SITE, reused });
  }

  get running(): number {
    return this.#state.running;
  }

  makeJudge(parts: JudgeParts): Judge {
    return new Judge(parts);
  }

  begin(): void {}

  end(): void {}

  connected(): void {}

  closing(): void {}

  checkEnd(): void {
    const { handled, logged, refused, reopened, miscounted } = this.#state;
    ensure(
      miscounted === 0,
      'response',
      `afterSend() reported a wrong length of ${miscounted} responses`,
    );
    const again = `${reopened} exchanges were used again while handlers had them`;
    ensure(reopened === 0, 'memory', again);
    ensure(handled === logged, 'balance', `${handled} requests handled, ${logged} lines logged`);
    // Those whose body was not valid were handled.
    const { faults } = this.#server.counters;
    ensure(refused <= faults, 'balance', `${faults} faults, ${refused} refused requests logged`);
  }
}
