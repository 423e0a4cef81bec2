// The workload shapes of clients. Each client's plan comes from a stream of its own, so leaving out
// one client changes no other.

import { Random } from '../../testing/random.ts';
import { bytesOf, type Planned } from './expected.ts';
import type { ClientPlan, HostileShape, Mishap, ShapeName } from './plan.ts';
import { Requests } from './requests.ts';
import type { ServerFacts } from './server-facts.ts';

type Draft = Omit<ClientPlan, 'shape' | 'lane' | 'startMs'>;

/** The defaults of a shape. */
export const ORDINARY: Omit<Draft, 'requests'> = {
  depth: 1,
  batched: true,
  requestsPerConnection: Number.POSITIVE_INFINITY,
  send: null,
  read: null,
  thinkMs: 0,
  retries: true,
  mishap: null,
  leave: 'end',
  halfClose: false,
  byteEveryMs: 0,
  floodBytes: 0,
};

export type Shape = (make: Requests, random: Random, facts: ServerFacts) => Draft;

function several(count: number, make: () => Planned): Planned[] {
  return Array.from({ length: count }, make);
}

/** A common request. */
function common(make: Requests, random: Random): Planned {
  switch (random.below(10)) {
    case 0:
      return make.hello();
    case 1:
      return make.text();
    case 2:
      return make.bytes();
    case 3:
      return make.head();
    case 4:
      return make.params();
    case 5:
      return make.peer();
    case 6:
      return make.echo(false);
    case 7:
      return make.file();
    case 8:
      return make.wrongMethod();
    default:
      return make.options();
  }
}

/** A request with an immediate response, for pipelines. */
function quick(make: Requests, random: Random): Planned {
  const kinds = [() => make.hello(), () => make.text(), () => make.bytes(), () => make.head()];
  return random.pick(kinds)();
}

/** Puts a pause into the middle of the head. */
function halved(planned: Planned, random: Random, pauseMs: number): Planned {
  const [head] = planned.parts;
  const at = random.between(1, head.bytes.length - 1);
  const begin = { ...head, bytes: head.bytes.subarray(0, at) };
  return { ...planned, parts: [begin, { ...head, bytes: head.bytes.subarray(at), pauseMs }] };
}

/** Makes a request the last one of its connection. */
function asLast(planned: Planned): Planned {
  const [head, ...rest] = planned.parts;
  const lines = Buffer.from(head.bytes).toString('latin1').slice(0, -2);
  const bytes = Buffer.from(`${lines}Connection: close\r\n\r\n`, 'latin1');
  const expected = { ...planned.expected, close: 'yes' } as const;
  return { ...planned, parts: [{ ...head, bytes }, ...rest], expected, isLast: true };
}

function withEmptyLine(planned: Planned): Planned {
  const parts = [...planned.parts];
  const last = parts[parts.length - 1];
  parts[parts.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, Buffer.from('\r\n')]) };
  return { ...planned, parts };
}

function mishapAt(
  kind: Mishap['kind'],
  requests: readonly Planned[],
  random: Random,
  forMs: number,
): Mishap {
  const atRequest = random.below(requests.length);
  const bytes = bytesOf(requests[atRequest]);
  const after = random.chance(0.4) ? Number.POSITIVE_INFINITY : random.between(1, bytes);
  return { kind, atRequest, afterBytes: after, forMs };
}

/** A silence longer than any timeout of the server. */
const FOREVER_MS = 60_000;

type Ordinary = Exclude<ShapeName, 'probe' | HostileShape>;

export const SHAPES: Readonly<Record<Ordinary, Shape>> = {
  'one by one': (make, random) => {
    const requests = several(random.between(8, 20), () => common(make, random));
    const leave = random.pick(['end', 'close', 'reset'] as const);
    return { ...ORDINARY, requests, leave, thinkMs: random.pick([0, 0, 1, 50]) };
  },
  'pipelined batch': (make, random) => {
    // The responses of some batches fill several blocks.
    const usual = (): Planned => (random.chance(0.8) ? quick(make, random) : common(make, random));
    const draw = random.chance(0.3) ? () => make.bytes(3000) : usual;
    const requests = several(random.between(16, 48), draw);
    return { ...ORDINARY, requests, depth: random.between(2, 24), batched: random.chance(0.7) };
  },
  'split heads': (make, random, { headTimeoutMs }) => {
    // Each write ends in the middle of a head; the rest follows soon, with the beginning of the
    // next.
    const half = (): Planned => halved(make.text(), random, headTimeoutMs * 0.3);
    const requests = several(random.between(8, 12), half);
    return { ...ORDINARY, requests, depth: requests.length };
  },
  'keep-alive churn': (make, random) => {
    const requests = several(random.between(6, 16), () => quick(make, random));
    const leave = random.pick(['end', 'close', 'reset'] as const);
    return { ...ORDINARY, requests, requestsPerConnection: random.between(1, 3), leave };
  },
  uploads: (make, random) => {
    const kinds = [
      () => make.echo(true),
      () => make.echo(false),
      () => make.sum(random.pick(['', 'later'] as const)),
      () => make.ignore(),
      () => make.mirror(),
      () => make.tooLarge(),
    ];
    const requests = several(random.between(4, 9), () => random.pick(kinds)());
    return { ...ORDINARY, requests, depth: random.pick([1, 1, 3]) };
  },
  'large bodies': (make, random) => {
    const kinds = [
      () => make.bytes(120_000),
      () => make.echo(random.chance(0.5), 60_000),
      () => make.largeFile(),
    ];
    const requests = several(random.between(1, 3), () => random.pick(kinds)());
    return { ...ORDINARY, requests, depth: random.pick([1, 1, 2]) };
  },
  'slow reader': (make, random) => {
    const requests = several(random.between(1, 3), () => make.bytes(20_000));
    return { ...ORDINARY, requests, depth: 2, read: { bytesMax: 1000, pauseMs: random.ms(1, 20) } };
  },
  // The send buffer holds a part of these; the socket is writable when a third of it is free.
  'steady reader': (make, random) => {
    const requests = several(random.between(1, 2), () => make.large());
    const read = { bytesMax: random.pick([600, 2500]), pauseMs: random.ms(5, 25) };
    return { ...ORDINARY, requests, read };
  },
  'sending reader': (make, random) => {
    const requests = several(random.between(1, 2), () => asLast(make.large()));
    const read = { bytesMax: random.pick([600, 2500]), pauseMs: random.ms(5, 25) };
    return { ...ORDINARY, requests, read, byteEveryMs: random.pick([20, 90]) };
  },
  'stopped reader': (make, random) => {
    const requests = [make.hello(), ...several(4, () => make.bytes(150_000)), make.text()];
    const mishap = mishapAt('stop reading', requests, random, random.pick([500, FOREVER_MS]));
    // These fill more than a block in the server until there is room for responses.
    requests.push(...several(14, () => make.bulky()));
    return { ...ORDINARY, requests, depth: random.pick([1, 20]), mishap };
  },
  slowloris: (make, random) => {
    const requests = [make.hello(), make.hello()];
    const pauseMs = random.pick([20, 100, 700]);
    return { ...ORDINARY, requests, send: { bytesMax: random.between(1, 3), pauseMs } };
  },
  'body stall': (make, random) => {
    const requests = [make.text(), random.chance(0.5) ? make.echo(true) : make.sum('later')];
    const atRequest = random.below(requests.length);
    const bytes = bytesOf(requests[atRequest]);
    const afterBytes = random.between(1, Math.max(bytes - 1, 1));
    const mishap = { kind: 'stop sending', atRequest, afterBytes, forMs: FOREVER_MS } as const;
    return { ...ORDINARY, requests, mishap };
  },
  idle: (make, random) => {
    const requests = several(random.between(1, 4), () => common(make, random));
    return { ...ORDINARY, requests, leave: 'wait', thinkMs: random.pick([0, 300, 900, 2500]) };
  },
  expect: (make, random) => {
    const requests = several(random.between(2, 5), () => make.expect());
    return { ...ORDINARY, requests };
  },
  garbage: (make, random) => {
    const last = random.pick([
      () => make.garbage(),
      () => make.longTarget(),
      () => make.longHead(),
    ]);
    const requests = [...several(random.below(4), () => quick(make, random)), last()];
    return { ...ORDINARY, requests, depth: random.pick([1, 8]) };
  },
  files: (make, random) => {
    const kinds = [
      () => make.file(),
      () => make.file(),
      () => make.range(),
      () => make.notModified(),
      () => make.missing(),
      () => make.listing(),
    ];
    const requests = several(random.between(6, 14), () => random.pick(kinds)());
    return { ...ORDINARY, requests, depth: random.pick([1, 1, 4]) };
  },
  streams: (make, random) => {
    const kinds = [() => make.stream('stream'), () => make.stream('sized'), () => make.events()];
    const requests = several(random.between(3, 8), () => random.pick(kinds)());
    return { ...ORDINARY, requests, depth: random.pick([1, 1, 3]) };
  },
  'failing handlers': (make, random) => {
    const kinds = [
      () => make.slow(),
      () => make.throws(),
      () => make.reject(),
      () => make.truncated(),
      () => make.sum('slow'),
      () => make.never(),
    ];
    const requests = several(random.between(4, 9), () => random.pick(kinds)());
    return { ...ORDINARY, requests, depth: random.pick([1, 1, 4]) };
  },
  'HTTP/1.0 and close': (make, random) => {
    const requests = several(random.between(3, 6), () =>
      random.chance(0.5) ? make.old() : make.closing(),
    );
    return { ...ORDINARY, requests };
  },
  'half close': (make, random) => {
    const requests = several(random.between(1, 6), () => common(make, random));
    // Some clients send an empty line after their last request.
    const last = requests.length - 1;
    if (random.chance(0.5)) requests[last] = withEmptyLine(requests[last]);
    return { ...ORDINARY, requests, depth: 16, halfClose: true };
  },
  'early reset': (make, random) => {
    const requests = several(random.between(2, 8), () =>
      random.chance(0.5) ? common(make, random) : make.stream('stream'),
    );
    return { ...ORDINARY, requests, depth: 4, mishap: mishapAt('reset', requests, random, 0) };
  },
  'reset of an upload': (make, random) => {
    const requests = [make.hello(), make.hold(), make.text()];
    const mishap = { ...mishapAt('reset', requests, random, random.ms(1, 900)), atRequest: 1 };
    return { ...ORDINARY, requests, mishap: { ...mishap, afterBytes: Number.POSITIVE_INFINITY } };
  },
  'early close': (make, random) => {
    const requests = several(random.between(2, 8), () =>
      random.chance(0.5) ? common(make, random) : make.slow(),
    );
    return { ...ORDINARY, requests, depth: 4, mishap: mishapAt('close', requests, random, 0) };
  },
  'flood after close': (make, random) => {
    const requests = [make.hello(), random.chance(0.5) ? make.closing() : make.garbage()];
    const floodBytes = random.pick([10, 3000, 60_000]);
    return { ...ORDINARY, requests, floodBytes, leave: 'end' };
  },
};

export const SHAPE_NAMES: readonly Ordinary[] = Object.keys(SHAPES) as Ordinary[];

/** The plan of client number `lane` of a run. */
export function planClient(seed: number, lane: number, facts: ServerFacts): ClientPlan {
  const random = new Random(seed, `client ${lane}`);
  const shape = SHAPE_NAMES[(lane + seed) % SHAPE_NAMES.length];
  const make = new Requests(random, facts, lane);
  const draft = SHAPES[shape](make, random, facts);
  return { ...draft, shape, lane, startMs: random.ms(0, 400) };
}

/** A client for the end of a run, after all faults. */
export function planProbe(seed: number, lane: number, facts: ServerFacts): ClientPlan {
  const random = new Random(seed, `probe ${lane}`);
  const make = new Requests(random, facts, lane);
  const requests = [make.hello(), make.echo(true), make.stream('stream'), make.file()];
  return { ...ORDINARY, requests, shape: 'probe', lane, startMs: 0 };
}

/** A client that ends its side in the middle of a body: it gets a 400 at once. */
export function planTruncator(seed: number, lane: number, facts: ServerFacts): ClientPlan {
  const random = new Random(seed, `breaker ${lane}`);
  const requests = [new Requests(random, facts, lane).truncatedBody()];
  return { ...ORDINARY, requests, halfClose: true, shape: 'probe', lane, startMs: 0 };
}

/** A client that stops in the middle of a body, while a handler waits for the rest. */
export function planStaller(seed: number, lane: number, facts: ServerFacts): ClientPlan {
  const random = new Random(seed, `staller ${lane}`);
  const make = new Requests(random, facts, lane);
  const request = make.late();
  const afterBytes = bytesOf(request) - 1;
  const mishap = { kind: 'stop sending', atRequest: 0, afterBytes, forMs: FOREVER_MS } as const;
  return { ...ORDINARY, requests: [request], mishap, shape: 'probe', lane, startMs: 0 };
}
