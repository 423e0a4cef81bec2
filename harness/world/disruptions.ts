// Faults of the process and of the network as a whole, tried at an interval until faults are over.

import type { Clock, Schedule } from './clock.ts';
import type { Faults } from './faults.ts';
import type { Network } from './network.ts';
import type { SimSocket } from './socket.ts';

const DISRUPTION_INTERVAL_MS = 20;

export interface DisruptedWorld {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly network: Network;
  readonly sockets: () => readonly (SimSocket | null)[];
}

export function planDisruptions(faults: Faults, world: DisruptedWorld): void {
  const { clock, schedule, network } = world;
  const random = faults.random('networkReset');
  const disrupt = (): void => {
    if (faults.healed) return;
    if (network.takenCount > 0 && faults.hit('networkReset')) {
      const links = network.links.filter((link) => link.adopted && !link.serverClosed);
      random.pick(links).resetBoth();
    }
    const sockets = world.sockets().filter((socket) => socket !== null);
    if (sockets.length > 0 && faults.hit('receiveFails')) random.pick(sockets).failReceive();
    if (faults.hit('jump')) jump(clock, faults.random('jump').ms(10, 5000));
    if (faults.hit('wallJump')) {
      clock.wallOffsetMs += faults.random('wallJump').ms(0, 7_200_000) - 3_600_000;
    }
    schedule.after(DISRUPTION_INTERVAL_MS, disrupt);
  };
  schedule.after(DISRUPTION_INTERVAL_MS, disrupt);
}

/** As after a suspend: time passes and nothing happens. */
function jump(clock: Clock, ms: number): void {
  clock.nowMs += ms;
  clock.stalledMs += ms;
}
