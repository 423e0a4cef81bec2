// What the handlers of a request do, drawn from the seed and its number: a correct handler with a
// known response, a guard that denies it, or hostile programs in every part of its chain.

import {
  AREAS,
  type Area,
  BEHAVIOURS,
  type Behaviour,
  BODIES,
  type BodyName,
  CALLS,
  type Kind,
  PASSES,
  type Pass,
  RETURNS,
  type Returned,
  THROWS,
  type Thrown,
  type When,
} from './grammar.ts';

/** The random choices of a script. */
export interface Choices {
  below(count: number): number;
  chance(probability: number): boolean;
}

/** One call, and how it is made. */
export interface Step {
  readonly kind: Kind;
  readonly call: string;
  readonly when: When;
  /** Made on the kept object of this number, from any request; null for the request's own. */
  readonly kept: number | null;
  /** The next step waits for its promise. */
  readonly awaited: boolean;
  /** Its error is caught. */
  readonly guarded: boolean;
  /** The form of the call, and a length. */
  readonly form: number;
  readonly bytes: number;
  /** Steps for the callback of the call, if it takes one. */
  readonly nested: readonly Step[];
}

/** A handler or a middleware. */
export interface Part {
  /** Null runs the steps. */
  readonly pass: Pass | null;
  readonly steps: readonly Step[];
  readonly returns: Returned;
  readonly throws: Thrown;
}

export interface Script {
  readonly id: number;
  readonly kind: 'correct' | 'denied' | 'hostile';
  readonly area: Area;
  readonly method: string;
  readonly body: BodyName;
  readonly bodyBytes: number;
  readonly behaviour: Behaviour;
  /** The path is percent-encoded. */
  readonly encoded: boolean;
  /** An afterSend() callback is registered. */
  readonly hasAfterSend: boolean;
  readonly front: Pass;
  readonly outer: Part;
  readonly inner: Part;
  readonly handler: Part;
  readonly onError: Part;
}

const STEPS_MAX = 6;
const NESTED_MAX = 3;

/** How often each kind of object is called. */
const KIND_WEIGHTS: readonly (readonly [Kind, number])[] = [
  ['response', 50],
  ['request', 20],
  ['next', 8],
  ['events', 6],
  ['outgoing', 6],
  ['chunks', 5],
  ['fields', 2],
  ['body', 2],
  ['signal', 2],
  ['query', 2],
  ['params', 1],
  ['state', 2],
];

/** How often a call is made on a kept object; the default is 0.25. */
const KEPT_CHANCES: Partial<Readonly<Record<Kind, number>>> = {
  next: 0.4,
  events: 0.4,
  outgoing: 0.7,
  fields: 0.6,
  chunks: 0.5,
};

const WHEN_WEIGHTS: readonly (readonly [When, number])[] = [
  ['now', 52],
  ['after microtasks', 10],
  ['after a timer', 14],
  ['after a long timer', 4],
  ['in an immediate', 5],
  ['after the response', 8],
  ['after the client is gone', 3],
  ['after the handler timeout', 2],
  ['after close() began', 2],
];

/** Calls that respond, for the end of a program: most requests should get a response. */
const RESPONSES = [
  ...['send', 'text', 'html', 'json', 'empty', 'redirect', 'prepared', 'file', 'end'],
  ...['stream', 'stream', 'stream', 'events', 'write', 'text', 'text'],
];

function weighted<T>(choices: Choices, table: readonly (readonly [T, number])[]): T {
  let left = choices.below(table.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [item, weight] of table) {
    if (left < weight) return item;
    left -= weight;
  }
  return table[0][0];
}

function pick<T>(choices: Choices, items: readonly T[]): T {
  return items[choices.below(items.length)];
}

/** Calls after which the next request can take the exchange, if the handler does nothing else. */
const QUICK_CALLS: readonly (readonly [Kind, readonly string[]])[] = [
  ['response', ['status', 'header', 'appendHeader', 'getHeader', 'statusCode', 'sent', 'closed']],
  ['response', ['trailer', 'beforeSend', 'afterSend', 'declare length', 'declare close']],
  ['request', ['method', 'target', 'path', 'query', 'params', 'header', 'headers', 'httpVersion']],
  ['request', ['headers partly read', 'remote', 'state', 'signal', 'body not begun']],
  ['fields', CALLS.fields],
  ['query', CALLS.query],
  ['state', CALLS.state],
  ['signal', CALLS.signal],
];
const QUICK_RESPONSES = ['send', 'text', 'html', 'json', 'empty', 'redirect', 'prepared', 'end'];

/** A handler or middleware that has finished when it returns, and whose objects are kept. */
function drawQuickPart(choices: Choices, isMiddleware: boolean): Part {
  const pass: Pass = 'returns next()';
  if (isMiddleware) return { pass, steps: [], returns: 'nothing', throws: 'nothing' };
  const quickly = (kind: Kind, call: string): Step => {
    const step = drawCall(choices, kind, call, 1);
    const nested = step.nested.map((one) => ({ ...one, awaited: false }));
    return { ...step, nested, when: 'now', awaited: false, guarded: true };
  };
  const steps = Array.from({ length: choices.below(STEPS_MAX) }, () => {
    const [kind, calls] = pick(choices, QUICK_CALLS);
    return quickly(kind, pick(choices, calls));
  });
  const own = (kind: Kind, call: string): Step => ({ ...quickly(kind, call), kept: null });
  const last = choices.chance(0.15)
    ? [own('response', 'events'), own('events', 'comment'), own('events', 'close')]
    : [own('response', pick(choices, QUICK_RESPONSES))];
  return { pass: null, steps: [...steps, ...last], returns: 'nothing', throws: 'nothing' };
}

function drawSteps(choices: Choices, most: number, depth: number): Step[] {
  const count = choices.below(most + 1);
  return Array.from({ length: count }, () => drawStep(choices, depth));
}

function drawStep(choices: Choices, depth: number): Step {
  const kind = weighted(choices, KIND_WEIGHTS);
  return drawCall(choices, kind, pick(choices, CALLS[kind]), depth);
}

function drawCall(choices: Choices, kind: Kind, call: string, depth: number): Step {
  return {
    kind,
    call,
    when: weighted(choices, WHEN_WEIGHTS),
    kept: choices.chance(KEPT_CHANCES[kind] ?? 0.25) ? choices.below(256) : null,
    awaited: choices.chance(0.6),
    guarded: choices.chance(0.85),
    form: choices.below(256),
    bytes: choices.chance(0.05) ? 20_000 : 8 << choices.below(9),
    nested: depth > 0 ? drawSteps(choices, NESTED_MAX, depth - 1) : [],
  };
}

/** A middleware or a handler; both may respond. */
function drawPart(choices: Choices, isMiddleware: boolean): Part {
  const pass = pick(choices, PASSES);
  if (isMiddleware && choices.chance(0.6)) {
    return { pass, steps: [], returns: 'nothing', throws: 'nothing' };
  }
  const steps = drawSteps(choices, STEPS_MAX, 2);
  if (isMiddleware && choices.chance(0.8)) {
    const at = choices.below(steps.length + 1);
    steps.splice(at, 0, { ...drawCall(choices, 'next', 'call', 0), kept: null });
  }
  if (choices.chance(0.6)) {
    const response = drawCall(choices, 'response', pick(choices, RESPONSES), 1);
    steps.push({ ...response, kept: null });
  }
  const isOdd = choices.chance(0.2);
  const usual: Returned = choices.chance(0.65) ? 'promise' : 'nothing';
  const returns = isOdd ? pick(choices, RETURNS) : usual;
  const throws = choices.chance(0.15) ? pick(choices, THROWS) : 'nothing';
  return { pass: null, steps, returns, throws };
}

function plainPart(choices: Choices, isQuick: boolean): Part {
  const pass = isQuick ? 'returns next()' : pick(choices, PASSES);
  return { pass, steps: [], returns: 'nothing', throws: 'nothing' };
}

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE'];

/** The method that a correct handler needs. */
function correctMethod(choices: Choices, behaviour: Behaviour): string {
  if (behaviour === 'echo' || behaviour === 'chunks of the body') return 'POST';
  const mayBeHead = behaviour !== 'trailers';
  return mayBeHead && choices.chance(0.15) ? 'HEAD' : 'GET';
}

const QUICK_BEHAVIOURS: readonly Behaviour[] = [
  'text at once',
  'prepared',
  'what the request says',
  'no content',
  'text, then late calls',
];

/** With `benign` the handler of a hostile request only responds; what is sent stays. */
export function drawScript(choices: Choices, id: number, benign: boolean): Script {
  const what = choices.below(100);
  const kind = what < 48 ? 'hostile' : what < 60 ? 'denied' : 'correct';
  // Half of all requests finish when their handler returns: kept objects of these are most at risk.
  const isQuick = choices.chance(0.5);
  const guarded = AREAS.slice(2);
  const areas = isQuick ? QUICK_AREAS : kind === 'denied' ? guarded : AREAS;
  const area = kind === 'denied' && isQuick ? 'guard/sync' : pick(choices, areas);
  const behaviour = pick(choices, isQuick ? QUICK_BEHAVIOURS : BEHAVIOURS);
  const method = kind === 'correct' ? correctMethod(choices, behaviour) : pick(choices, METHODS);
  const hasBody = method === 'POST' || method === 'PUT';
  const bodies: readonly BodyName[] = kind === 'correct' ? BODIES.slice(1, 5) : BODIES;
  const body = hasBody ? pick(choices, bodies) : 'none';
  const isPlain = kind !== 'hostile' || benign;
  const part = (isMiddleware: boolean): Part => {
    if (isPlain) return plainPart(choices, isQuick);
    return isQuick ? drawQuickPart(choices, isMiddleware) : drawPart(choices, isMiddleware);
  };
  return {
    ...{ id, kind, area, method, body, behaviour },
    bodyBytes: kind === 'hostile' && choices.chance(0.1) ? 4000 : 8 << choices.below(7),
    encoded: choices.chance(0.2),
    hasAfterSend: !isQuick || choices.chance(0.8),
    front: isQuick ? 'returns next()' : pick(choices, PASSES),
    // A middleware in front of a guard could respond in its place, so it does nothing.
    outer: area.startsWith('guard') ? plainPart(choices, isQuick) : part(true),
    inner: part(true),
    handler: part(false),
    onError: part(false),
  };
}

const QUICK_AREAS: readonly Area[] = ['open', 'mounted', 'guard/sync'];
