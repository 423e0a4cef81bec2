// The application of the fuzzed connections: a handler for each way to read a body and to respond,
// and a record of the requests.

import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Counts } from '../../src/metrics/counters.ts';
import { Application } from '../../src/server/application.ts';
import { Group } from '../../src/server/group.ts';

export interface Seen {
  readonly method: string;
  readonly target: string;
}

/** The requests that reached handlers, and the pending handlers. */
export class Handled {
  readonly seen: Seen[] = [];
  pending = 0;
  /** Lines of the error log that no handler caused. */
  readonly errors: string[] = [];
}

const PLANNED = 'planned';

export function makeApplication(counters: Counts, handled: Handled): Application {
  const application = new Application({
    counters,
    logError: (message) => {
      if (!message.includes(PLANNED)) handled.errors.push(message);
    },
    logWarn: (message) => handled.errors.push(message),
  });
  const server = new Group(application.routes, application.routes.root);
  server.use((request, _response, next) => {
    handled.seen.push({ method: request.method, target: request.target });
    return next();
  });
  const route = (pattern: string, run: (request: Request, response: Response) => void) => {
    server.all(pattern, run);
  };
  const later = (pattern: string, run: (request: Request, response: Response) => Promise<void>) => {
    server.all(pattern, async (request: Request, response) => {
      handled.pending += 1;
      try {
        await run(request, response);
      } finally {
        handled.pending -= 1;
      }
    });
  };
  route('/', (_request, response) => response.text('Hello, World!'));
  route('/fields', (request, response) => response.json([...request.headers()]));
  route('/x/:name', (request, response) => response.json([request.params, [...request.query]]));
  route('/fail', () => {
    throw new Error(PLANNED);
  });
  route('/void', (_request, response) => response.empty());
  later('/echo', async (request, response) => response.send(await request.bytes()));
  later('/stream', (request, response) => response.stream(request.body));
  later('/trailers', async (request, response) => {
    const bytes = await request.bytes();
    response.json([bytes.toString('latin1'), request.trailers()]);
  });
  later('/later', async (_request, response) => {
    await null;
    response.html('later');
  });
  later('/write', async (_request, response) => {
    response.trailer('X-End', 'yes');
    for (const chunk of ['one', 'two', 'three']) await response.write(chunk);
    response.end();
  });
  later('/throw', async () => {
    await null;
    throw new Error(PLANNED);
  });
  return application;
}
