// Calls on a response. All that is written names the request of the response, whoever writes it.

import { HttpError } from '../../src/exchange/http-error.ts';
import type { Outgoing } from '../../src/exchange/outgoing.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import type { Response } from '../../src/exchange/response.ts';
import { SITE } from '../world/files.ts';
import type { Act } from './context.ts';
import type { CallOf } from './grammar.ts';
import { loopOf } from './loops.ts';
import { repeated } from './marks.ts';
import { LOOP_PIECE_BYTES } from './monitor.ts';
import { sourceOf } from './sources.ts';

type ResponseCall = (response: Response, act: Act) => unknown;

const STATUSES = [200, 200, 201, 202, 204, 205, 206, 304, 400, 404, 500, 503, 599];
const ODD_STATUSES = [99, 100, 101, 199, 600, 200.5, Number.NaN];
const NAMES = ['X-One', 'X-Two', 'Set-Cookie', 'Content-Type', 'Vary', 'ETag', 'Cache-Control'];
const ODD_NAMES = ['', 'no name', 'Transfer-Encoding', 'Connection', 'Trailer', 'x:y', 'a\r\nb'];
const REDIRECTS = [301, 302, 303, 307, 308, 200];

/** One in eight calls is given what no response takes. */
function isOdd({ step }: Act): boolean {
  return step.form % 8 === 7;
}

function at<T>(items: readonly T[], { step }: Act): T {
  return items[(step.form >> 3) % items.length];
}

function textOf({ owner, step }: Act): string {
  return repeated(owner.mark, step.bytes);
}

/** Text or bytes; what is neither at times. */
function contentOf(act: Act): string | Uint8Array {
  if (isOdd(act)) return at([null, 7, {}, undefined], act) as unknown as string;
  const text = textOf(act);
  return act.step.form % 2 === 0 ? text : Buffer.from(text, 'latin1');
}

function fieldValueOf(act: Act): string | number {
  if (isOdd(act)) return at(['a\r\nX-Injected: 1', 'a\nb', 'a\0b'], act);
  return act.step.form % 16 === 3 ? 7 : act.owner.mark;
}

function runNested({ stage, step, owner }: Act, objects: { response: Response }): void {
  const request = owner.latest.get('request');
  if (request === undefined) return;
  const frame = { record: owner, request: request as never, next: null, ...objects };
  stage.runSteps(step.nested, frame);
}

/** A callback is called for its own response, and so once at most. */
function once(name: string, { owner, stage }: Act): () => void {
  let count = 0;
  return () => {
    stage.watch.count('callback', name);
    count += 1;
    if (count < 2) return;
    stage.watch.report('isolation', `a ${name}() callback of request ${owner.id} ran twice`, owner);
  };
}

/** Writes from one buffer, which is written over as soon as that is allowed. */
async function writeReused(response: Response, act: Act): Promise<void> {
  const piece = Buffer.from(textOf(act), 'latin1');
  for (let count = 0; count < 3 && !act.stage.watch.isOver; count++) {
    await response.write(piece);
    piece.fill('-');
    piece.write(textOf(act), 'latin1');
  }
}

function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

export const RESPONSE_CALLS: Readonly<Record<CallOf<'response'>, ResponseCall>> = {
  status: (response, act) => response.status(at(isOdd(act) ? ODD_STATUSES : STATUSES, act)),
  header: (response, act) => response.header(at(NAMES, act), fieldValueOf(act)),
  appendHeader: (response, act) => {
    response.appendHeader(at(act.step.form % 8 === 6 ? ODD_NAMES : NAMES, act), fieldValueOf(act));
  },
  getHeader: (response, act) => {
    const name = at([...NAMES, 'X-Mark'], act);
    act.stage.watch.read(act.owner, 'a header of the response', response.getHeader(name));
  },
  statusCode: (response) => response.statusCode,
  sent: (response, { owner, stage }) => {
    stage.watch.staysTrue(owner, 'sent', response.sent, owner.complete);
  },
  closed: (response, { owner, stage }) => {
    stage.watch.staysTrue(owner, 'closed', response.closed, owner.ended);
  },
  send: (response, act) => response.send(contentOf(act), at([undefined, 'a/b'], act)),
  text: (response, act) => response.text(contentOf(act) as string),
  html: (response, act) => response.html(contentOf(act) as string),
  json: (response, act) => response.json(isOdd(act) ? undefined : { mark: textOf(act) }),
  empty: (response, act) => response.empty(at([undefined, 204, 304, 200, 404], act)),
  redirect: (response, act) => response.redirect(`/to/${act.owner.mark}/ä`, at(REDIRECTS, act)),
  prepared: (response, act) => {
    const { mark } = act.owner;
    response.prepared(prepare(at([200, 404], act), { 'X-One': mark }, textOf(act)));
  },
  file: (response, act) => response.file(pathOf(act), at([{}, { type: 'a/b' }], act)),
  stream: (response, act) => {
    const { owner, stage, step } = act;
    const before = stage.sources.count;
    const parts = {
      watch: stage.watch,
      after: (ms: number, run: () => void) => stage.after(ms, run),
      callBack: () => runNested(act, { response }),
    };
    const { kind, source } = sourceOf(step.form, step.bytes, owner, stage.sources, parts);
    stage.watch.count('source', kind);
    try {
      return response.stream(source);
    } catch (error) {
      stage.sources.refused(before);
      throw error;
    }
  },
  write: (response, act) => response.write(contentOf(act)),
  'write reused': (response, act) => handled(writeReused(response, act)),
  end: (response, act) => response.end(at([undefined, contentOf(act)], act)),
  trailer: (response, act) => {
    const name = isOdd(act) ? at(['Content-Length', 'Date', 'a b'], act) : 'X-Trailer';
    response.trailer(name, String(fieldValueOf(act)));
  },
  events: (response, act) => {
    act.stage.obtained('events', response.events(), act.owner);
  },
  beforeSend: (response, act) => {
    const called = once('beforeSend', act);
    response.beforeSend((outgoing: Outgoing) => {
      called();
      act.stage.watch.read(act.owner, 'a header of outgoing', outgoing.header('X-Mark'));
      act.stage.obtained('outgoing', outgoing, act.owner);
      runNested(act, { response });
    });
  },
  afterSend: (response, act) => {
    const called = once('afterSend', act);
    response.afterSend(() => {
      called();
      runNested(act, { response });
    });
  },
  'declare length': (response, act) => {
    response.header('Content-Length', isOdd(act) ? at(['-1', 'x', '1e9'], act) : act.step.bytes);
  },
  'declare close': (response, act) => {
    response.header('Connection', at(['close', 'keep-alive', 'upgrade'], act));
  },
  'loop of write': (response, act) => {
    const piece = repeated(act.owner.mark, LOOP_PIECE_BYTES);
    return loopOf('response.write', act, () => response.write(piece));
  },
  'loop of empty write': (response, act) =>
    loopOf('response.write of nothing', act, () => response.write('')),
  'loop of stream': (response, act) => loopOf('response.stream', act, () => response.stream([])),
  'loop of file': (response, act) =>
    loopOf('response.file', act, () => response.file(`${SITE}/none`)),
};

/** A file that names the request, or one of the site, or what is no file. */
function pathOf(act: Act): string {
  const { mark } = act.owner;
  if (isOdd(act)) return at([`${SITE}/none`, SITE, '', '/'], act);
  return at(
    [`/marked/${mark}/${act.step.bytes}`, `${SITE}/small.txt`, `/marked/${mark}/9000`],
    act,
  );
}

/** An error whose message is sent. */
export function refusalOf(mark: string): HttpError {
  return new HttpError(409, mark);
}
