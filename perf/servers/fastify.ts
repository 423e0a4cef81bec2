// fastify with the same responses, for perf:peers, as its documentation advises: no logger, and
// response schemas, so that its own serializer writes them.
//
//   node build/perf/servers/fastify.js PACKAGE_JSON_OF_PEERS

import { createRequire } from 'node:module';
import { sumOf, USER } from './responses.ts';

interface Request {
  readonly body: Buffer;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

interface Reply {
  type(name: string): Reply;
  send(body: unknown): Reply;
}

type Handler = (request: Request, reply: Reply) => unknown;

interface Application {
  get(path: string, options: object, handler: Handler): void;
  post(path: string, options: object, handler: Handler): void;
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: 'buffer' },
    parse: (request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => void,
  ): void;
  listen(options: { readonly host: string; readonly port: number }): Promise<string>;
}

const [packages = ''] = process.argv.slice(2);
const fastify = createRequire(packages)('fastify') as (options: object) => Application;

const application = fastify({ logger: false, keepAliveTimeout: 600_000 });
application.addContentTypeParser('text/plain', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);

const text = { type: 'string' };
const schema = {
  response: {
    200: {
      type: 'object',
      properties: {
        id: text,
        name: text,
        email: text,
        roles: { type: 'array', items: text },
        active: { type: 'boolean' },
        logins: { type: 'integer' },
      },
    },
  },
};
application.get('/', {}, (_request, reply) => reply.type('text/plain').send('Hello, World!'));
application.get('/users/:id', { schema }, (request, reply) =>
  reply.send({ ...USER, id: request.params['id'] }),
);
application.get('/baseline11', {}, (request, reply) =>
  reply.type('text/plain').send(String(sumOf(Object.entries(request.query)))),
);
application.post('/baseline11', {}, (request, reply) => {
  const total = sumOf(Object.entries(request.query)) + Number(request.body.toString());
  return reply.type('text/plain').send(String(total));
});
application.post('/mirror', {}, (request, reply) => reply.type('text/plain').send(request.body));

console.log(`fastify on ${(await application.listen({ host: '127.0.0.1', port: 0 })).slice(7)}`);
for (const event of ['SIGTERM', 'disconnect']) process.on(event, () => process.exit());
