// An application of hono, the same for each server that perf:fetch compares.

import { Hono } from 'hono';
import { USER } from './responses.ts';

export function honoApplication(): Hono {
  const app = new Hono();
  app.get('/', (context) => context.text('Hello, World!'));
  app.get('/users/:id', (context) => context.json({ ...USER, id: context.req.param('id') }));
  app.post('/mirror', async (context) => context.body(await context.req.arrayBuffer()));
  return app;
}
