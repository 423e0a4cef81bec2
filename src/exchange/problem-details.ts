// An error handler for APIs: every error is a problem details object.

import { problemOf } from './problem.ts';
import type { Request } from './request.ts';
import type { Response } from './response.ts';

/**
 * For server.onError(): responds with problem details (RFC 9457), also to 404 and 405. The message
 * of an HttpError is the detail; an error of another kind is a 500 that shows nothing of it.
 */
export function problemDetails(error: unknown, _request: Request, response: Response): void {
  if (response.sent) return;
  response.problem(problemOf(error));
}
