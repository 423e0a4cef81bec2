// What middleware is: a function around the rest of the chain.

import type { Request } from './request.ts';
import type { Response } from './response.ts';

/** Runs the rest of the chain; resolves when it is done. */
export type Next = () => Promise<void>;

export type Middleware = (request: Request, response: Response, next: Next) => void | Promise<void>;
