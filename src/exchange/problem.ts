// Problem details (RFC 9457): an error as application/problem+json, for clients that are programs.

import { isPlainObject } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { checkStatus, reasonPhrase } from '../http/status.ts';
import { HttpError, type ProblemMembers } from './http-error.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** What res.problem() takes. */
export interface Problem extends ProblemMembers {
  /** 400 to 599. Without it the status that was set, or 500. */
  readonly status?: number;
}

const TEXTS = ['type', 'title', 'detail', 'instance'] as const;

/**
 * The JSON text of a problem. Without `type` the title is the phrase of the status, as the RFC says
 * of about:blank. Throws for members of a wrong type.
 */
export function problemText(status: number, problem: ProblemMembers): string {
  checkProblem(status, problem);
  const { type, title, detail, instance } = problem;
  const isBlank = type === undefined || type === 'about:blank';
  // JSON.stringify() leaves out what is undefined.
  const members = {
    type,
    title: title ?? (isBlank ? reasonPhrase(status) : undefined),
    status,
    detail,
    instance,
  };
  const shared: Record<string, unknown> = Object.assign(Object.create(null), members);
  for (const [name, value] of Object.entries(problem)) {
    if (!Object.hasOwn(members, name)) shared[name] = value;
  }
  return JSON.stringify(shared);
}

function checkProblem(status: number, problem: ProblemMembers): void {
  checkStatus('problem()', status, 400);
  if (!isPlainObject(problem)) {
    throw new TypeError(`problem(): a problem is a plain object, given ${shown(problem)}`);
  }
  for (const name of TEXTS) {
    const value = problem[name];
    if (value === undefined || typeof value === 'string') continue;
    throw new TypeError(`problem(): ${name} is a string, given ${shown(value)}`);
  }
}

/** The members for an error: those of an HttpError; an error of another kind shows nothing. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof HttpError)) return { status: 500 };
  const { status, message, problem } = error;
  const detail = message === reasonPhrase(status) ? {} : { detail: message };
  return { ...detail, ...problem, status };
}
