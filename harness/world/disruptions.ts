// What happens to the process and the network as a whole, now and then, until faults are over.

import type { Clock, Schedule } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Network } from './network.ts';
import type { SimSocket } from './socket.ts';

/** How often something may happen. */
const TROUBLE_MS = 20;

export interface Troubled {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly network: Network;
  readonly sockets: () => readonly (SimSocket | null)[];
}

export function planTrouble(faults: Faults, world: Troubled): void {
  const { clock, schedule, network } = world;
  const random = faults.random('networkReset');
  const trouble = (): void => {
    if (faults.healed) return;
    if (network.takenCount > 0 && faults.hit('networkReset')) {
      const links = network.links.filter((link) => link.adopted && !link.serverClosed);
      random.pick(links).breakOff();
    }
    const sockets = world.sockets().filter((socket) => socket !== null);
    if (sockets.length > 0 && faults.hit('receiveFails')) random.pick(sockets).failReceive();
    if (faults.hit('jump')) jump(clock, faults.random('jump').ms(10, 5000));
    if (faults.hit('wallJump')) {
      clock.wallOffsetMs += faults.random('wallJump').ms(0, 7_200_000) - 3_600_000;
    }
    schedule.after(TROUBLE_MS, trouble);
  };
  schedule.after(TROUBLE_MS, trouble);
}

/** Nothing happened meanwhile, as in a machine that was asleep. */
function jump(clock: Clock, ms: number): void {
  clock.nowMs += ms;
  clock.heldUpMs += ms;
}
