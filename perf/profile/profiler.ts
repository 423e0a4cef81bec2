// Takes a CPU profile of a process from inside, with V8's profiler. `node --import` loads it before
// the script, so that the script needs no code of its own. Messages: 'start profile', and
// 'stop profile', which replies with the profile.

import { Session } from 'node:inspector/promises';

/** Microseconds between two samples; V8's default is 1,000. */
const SAMPLE_US = 200;

const session = new Session();

process.on('message', (message) => {
  if (message === 'start profile') void start().then(() => process.send?.('started'));
  else if (message === 'stop profile') void stop().then((profile) => process.send?.(profile));
});

async function start(): Promise<void> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
  await session.post('Profiler.start');
}

async function stop(): Promise<unknown> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return profile;
}
