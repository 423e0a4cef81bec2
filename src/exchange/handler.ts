// What handlers and middleware are.

import type { Request } from './request.ts';
import type { Response } from './response.ts';

/** Responds to a request, at once or later. */
export type Handler = (request: Request, response: Response) => void | Promise<void>;

/** Runs the rest of the chain; resolves when it has settled. */
export type Next = () => Promise<void>;

/** A function around the rest of the chain. */
export type Middleware = (request: Request, response: Response, next: Next) => void | Promise<void>;
