// The ordinary cast: handlers as users write them, clients that compare every answer with the right
// one.

import { Judge } from '../clients/judge.ts';
import type { JudgeParts } from '../clients/judge-parts.ts';
import { planBreaker, planClient, planProbe, planStaller } from '../clients/shapes.ts';
import type { Cast, CastParts } from '../run/participants.ts';
import { REQUESTS_PER_RUN } from '../run/scenario.ts';
import { SITE } from '../world/files.ts';
import { ensure } from '../world/violation.ts';
import { type ApplicationState, addRoutes } from './routes.ts';

export class OrdinaryCast implements Cast {
  readonly requestsMin: number = REQUESTS_PER_RUN;
  readonly planClient: Cast['planClient'] = planClient;
  readonly planProbe: Cast['planProbe'] = planProbe;
  readonly planBreaker: Cast['planBreaker'] = planBreaker;
  readonly planStaller: Cast['planStaller'] = planStaller;
  readonly isQuiet: boolean = true;
  readonly occurred: ReadonlyMap<string, number> = new Map();
  readonly #state: ApplicationState;

  constructor({ server, loop, reused }: CastParts) {
    const after = (ms: number, run: () => void): void => {
      loop.after(ms, run);
    };
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
    const { handled, logged, reopened, miscounted } = this.#state;
    ensure(miscounted === 0, 'answer', `${miscounted} answers were told to be longer or shorter`);
    const again = `${reopened} exchanges were used again while handlers had them`;
    ensure(reopened === 0, 'memory', again);
    ensure(handled === logged, 'balance', `${handled} requests handled, ${logged} lines logged`);
  }
}
