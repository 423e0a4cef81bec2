// The server of the viewer in the browser: its files, its policy, its events, and who may use it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { FetchProblem, type MetricsViewer, viewMetrics } from 'vibing/viewer';
import { PAGES_MAX } from '../../src/viewer/limits.ts';
import type { Opening, Update } from '../../src/viewer/messages.ts';
import { wait } from '../../testing/with-server.ts';
import { Model, ModelSite } from './fixtures/model-server.ts';
import { request } from './fixtures/steps.ts';

const timeout = 60_000;
const model = new Model({ workers: 2, started: Date.now() / 1000 - 60 });
const site = new ModelSite(() => {
  model.add(request({ route: '/</script>\n\ndata: x', duration: 1 / 3000 }));
  return model.snapshot(Date.now() / 1000);
});
let viewer: MetricsViewer;

before(async () => {
  await site.open();
  viewer = await viewMetrics({ url: site.url });
});

after(async () => {
  await viewer?.close();
  await site.close();
});

async function open(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const call = get(new URL(path, viewer.url), { agent: false, headers });
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return response;
}

/** Of a stream, only the head. */
async function read(path: string, headers: Record<string, string> = {}) {
  const response = await open(path, headers);
  let body = '';
  if (/event-stream/.test(response.headers['content-type'] ?? '')) response.destroy();
  else for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

/** The data of the first events of each kind. */
async function events(response: IncomingMessage, count: number): Promise<[string, unknown][]> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk;
    const whole = text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => block.includes('data: '));
    if (whole.length < count) continue;
    response.destroy();
    return whole.map((block) => [
      /^event: (.*)$/m.exec(block)?.[1] ?? '',
      JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? ''),
    ]);
  }
  return assert.fail('the stream has ended');
}

describe('the viewer', { timeout }, () => {
  it('serves a page that loads all from itself', async () => {
    const { body, headers, status } = await read('/');
    assert.equal(status, 200);
    assert.match(headers['content-type'] ?? '', /^text\/html/);
    const policy = String(headers['content-security-policy']);
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
      assert.ok(policy.includes(part), policy);
    }
    assert.doesNotMatch(policy, /unsafe|http/);
    assert.doesNotMatch(body, /https?:|\bon\w+=|style=|<script>|<style>/);
    const files = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(files, ['data:,', 'uplot.css', 'style.css', 'uplot.js', 'page.js']);
    for (const path of files.slice(1)) {
      const file = await read(path);
      assert.equal(file.status, 200, path);
      assert.equal(file.headers['x-content-type-options'], 'nosniff');
      const type = path.endsWith('.js') ? /^text\/javascript/ : /^text\/css/;
      assert.match(file.headers['content-type'] ?? '', type);
      assert.ok(file.body.length > 500);
      assert.doesNotMatch(file.body, /innerHTML|insertAdjacentHTML|document\.write|\beval\b/);
    }
  });

  it('sends the history, then the steps', async () => {
    const all = await events(await open('/events'), 4);
    assert.deepEqual(
      all.slice(0, 4).map(([name]) => name),
      ['opening', 'update', 'update', 'update'],
    );
    const opening = all[0][1] as Opening;
    assert.equal(opening.target, site.url);
    assert.equal(opening.server?.version, '0.1.0');
    // Other figures have six digits; times have all.
    assert.equal(opening.server?.started, model.options.started);
    assert.equal(opening.absence, null);
    const { step } = all[3][1] as Update;
    assert.ok(step !== null);
    assert.equal(step.point.requests, 1);
    const [{ route }] = step.routes;
    assert.equal(route, '/</script>\n\ndata: x');
    const again = (await events(await open('/events'), 1))[0][1] as Opening;
    assert.ok(again.history.points.length >= opening.history.points.length + 3);
  });

  it('is read under its own names only', async () => {
    const { port } = new URL(viewer.url);
    for (const host of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      'localhost:',
      '127.0.0.1',
    ]) {
      assert.equal((await read('/', { host })).status, 200, host);
    }
    for (const host of [`evil.example:${port}`, `127.0.0.1.evil.example`, `10.0.0.1:${port}`]) {
      for (const path of ['/', '/events']) {
        const { body, status } = await read(path, { host });
        assert.equal(status, 421, host);
        assert.match(body, /open the viewer as http:\/\/127\.0\.0\.1/);
      }
    }
    const { headers } = await read('/', { origin: 'http://evil.example' });
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  });

  it('does not send its events to a page of another site', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const { body, status } = await read('/events', { 'sec-fetch-site': site });
      assert.equal(status, 403, site);
      assert.match(body, /only the page of the viewer/);
      const frame = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
      assert.equal((await read('/events', frame)).status, 403);
      assert.equal((await read('/', frame)).status, 200, 'a link to the page');
    }
    for (const own of ['same-origin', 'none']) {
      assert.equal((await read('/events', { 'sec-fetch-site': own })).status, 200, own);
    }
  });

  it('has a limit of pages, from which closed ones do not count', async () => {
    const own = await viewMetrics({ url: site.url });
    const events = new URL('/events', own.url).href;
    const pages: IncomingMessage[] = [];
    try {
      for (let count = 0; count < PAGES_MAX; count++) pages.push(await open(events));
      assert.deepEqual(new Set(pages.map(({ statusCode }) => statusCode)), new Set([200]));
      const { body, status } = await read(events);
      assert.equal(status, 503);
      assert.match(body, /pages are open already: close one/);
      pages[0].destroy();
      // The server sees soon that it is closed; until then the test waits.
      while ((await read(events)).status === 503) await wait(5);
    } finally {
      for (const page of pages) page.destroy();
      await own.close();
    }
  });

  it('does not start without metrics, or with a wrong address', async () => {
    const missing = viewMetrics({ url: site.url.replace('/metrics', '/other') });
    await assert.rejects(missing, (error) => error instanceof FetchProblem);
    const wrong = viewMetrics({ url: 'ftp://a' });
    await assert.rejects(wrong, /^TypeError: viewMetrics: url: ftp:\/\/a: not a URL/);
    const unsafe = viewMetrics({ url: 'http://a', authorization: 'Bearer x' });
    await assert.rejects(unsafe, /^TypeError: viewMetrics: authorization: it would be sent/);
    const taken = viewMetrics({ url: site.url, port: Number(new URL(viewer.url).port) });
    await assert.rejects(taken, { code: 'EADDRINUSE' });
  });
});
