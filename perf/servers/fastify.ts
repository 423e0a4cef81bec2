// fastify with the same responses, for perf:peers, as its documentation advises: no logger, and
// response schemas, so that its own serializer writes them.
//
//   node build/perf/servers/fastify.js PACKAGE_JSON_OF_PEERS

import { createRequire } from 'node:module';
import { BEARER, CATALOGUE, type Order, receiptOf, sumOf, USER } from './responses.ts';

interface Request {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string | undefined>>;
  user: unknown;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

interface Reply {
  type(name: string): Reply;
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: unknown): Reply;
}

type Handler = (request: Request, reply: Reply) => unknown;
type Hook = (request: Request, reply: Reply, done: () => void) => void;

interface Application {
  get(path: string, options: object, handler: Handler): void;
  post(path: string, options: object, handler: Handler): void;
  decorateRequest(name: string, value: unknown): void;
  register(plugin: unknown, options: object): Promise<void>;
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: 'buffer' },
    parse: (request: unknown, body: Buffer, done: (error: null, body: Buffer) => void) => void,
  ): void;
  listen(options: { readonly host: string; readonly port: number }): Promise<string>;
}

const [packages = ''] = process.argv.slice(2);
const load = createRequire(packages);
const fastify = load('fastify') as (options: object) => Application;

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
const hooks: readonly Hook[] = [
  (_request, reply, done) => {
    reply.header('X-Content-Type-Options', 'nosniff');
    done();
  },
  (request, _reply, done) => {
    request.user = USER['name'];
    done();
  },
  (request, reply, done) => {
    if (request.headers['authorization'] === BEARER) done();
    else reply.code(401).send('');
  },
];
application.decorateRequest('user', null);
application.get('/checked/users/:id', { schema, onRequest: hooks }, (request, reply) =>
  reply.send({ ...USER, id: request.params['id'], name: request.user }),
);
const receipt = {
  response: {
    200: {
      type: 'object',
      properties: {
        customer: text,
        lines: { type: 'integer' },
        cents: { type: 'integer' },
        accepted: { type: 'boolean' },
      },
    },
  },
};
application.post('/orders', { schema: receipt }, (request, reply) =>
  reply.send(receiptOf(request.body as unknown as Order)),
);
// Only the routes that are added behind it and have `compress` are compressed.
await application.register(load('@fastify/compress'), { global: false });
application.get('/catalogue', { compress: { encodings: ['gzip'] } }, (_request, reply) =>
  reply.send(CATALOGUE),
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
