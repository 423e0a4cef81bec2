// The screen in a terminal at every width: no line is too long, no control character of a label
// gets through, and the figures are there. And the keys.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnOf } from '../../../src/viewer/columns.ts';
import { History } from '../../../src/viewer/history.ts';
import { HISTORY_SECONDS_MAX } from '../../../src/viewer/limits.ts';
import { BUSIEST_FIRST, routeRows } from '../../../src/viewer/routes.ts';
import { cellsOf, fit, paint, part } from '../../../src/viewer/terminal/line.ts';
import { absenceText, lineText, onceText } from '../../../src/viewer/terminal/once.ts';
import { routeTable, workerTable } from '../../../src/viewer/terminal/screen.ts';
import { keysIn, TerminalSession } from '../../../src/viewer/terminal/session.ts';
import { sparkline } from '../../../src/viewer/terminal/sparkline.ts';
import { Model } from '../fixtures/model-server.ts';
import { pointWith, request, START, snapshotOf, stepsOf, workerWith } from '../fixtures/steps.ts';

const TARGET = new URL('http://127.0.0.1:8080/metrics');
const HOSTILE = '/\u001b]0;owned\u0007\u001b[2J\u009b\r\n\u202e日本\u0301😀';

function busy(model: Model): void {
  for (let count = 0; count < 50; count++) {
    model.add(request({ route: '/users/:id', duration: 0.0004, worker: 1 + (count % 2) }));
  }
  model.add(request({ route: HOSTILE, method: 'G\u001bT', status: 500, duration: 0.02 }));
  model.add(request({ route: '/a/very/long/route/'.repeat(20), status: 404, duration: 0.3 }));
  model.cpu[1] += 0.93;
  model.turns[0].push(0.004);
  model.open = 1_234;
}

function historyOf(fill: (model: Model) => void, workers = 2): History {
  const history = new History();
  for (const step of stepsOf(30, fill, workers)) history.add(step);
  return history;
}

function screen(
  history: History,
  columns: number,
  rows: number,
  session = new TerminalSession(TARGET),
): readonly string[] {
  const server = history.server;
  return session.render(history, server, null, { columns, rows }, false);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/;

describe('the screen', () => {
  it('fits terminals of 40 to 200 columns, and low ones', () => {
    for (const workers of [1, 2, 40]) {
      const history = historyOf(busy, Math.max(2, workers));
      for (const columns of [1, 10, 40, 41, 53, 60, 79, 80, 100, 132, 200]) {
        for (const rows of [1, 5, 12, 24, 60]) {
          const lines = screen(history, columns, rows);
          assert.equal(lines.length, rows, `${columns} x ${rows}`);
          for (const line of lines) {
            assert.ok(cellsOf(line) <= columns, `${columns}: ${line}`);
            assert.doesNotMatch(line, CONTROL);
          }
          // What comes first is what matters most.
          if (columns >= 40 && rows > 1) assert.match(lines[0], /^127\.0\.0\.1/);
          if (columns >= 40 && rows > 1) assert.match(lines[rows - 1], /^q quit/);
        }
      }
    }
  });

  it('shows the figures, the workers and the routes', () => {
    const text = screen(historyOf(busy), 110, 40).join('\n');
    for (const wanted of [
      /^127\.0\.0\.1:8080 {2}vibing 0\.1\.0 {2}uring {2}2 workers {2}up 2 min .*● live$/m,
      /^✕ Trouble {2}1\.9 % of the responses are 5xx; worker 2 uses 93 % of a core$/m,
      /^Requests\/s +52 .*█.* max 52$/m,
      /^P99 +31\d ms .* max 31\d ms$/m,
      /^Busiest core +93 %/m,
      /^Connections +1,234/m,
      /^Latency +P50 4\d\d us {2}P90 4\d\d us {2}P99 31\d ms/m,
      /^Status +2xx 96 % {2}3xx 0 % {2}4xx 1\.9 % {2}5xx 1\.9 %/m,
      /^Loop +turn max 4\.\d\d ms {2}GC max – /m,
      /^1 .* 0 % +27 +617 +4\.\d\d ms +60\.0 MB$/m,
      /^2 .*█+▋? +93 % +25 +617 +– +60\.0 MB$/m,
      /^GET {5}\/users\/:id +50 +4\d\d us +4\d\d us +0 % +0 %$/m,
      /^G\\x1bT {2}\/\\x1b\]0;owned\\x07\\x1b\[2J\\x9b\\x0d\\x0a\\u202e日.* +1\.0 .* 100 %$/m,
      /^q quit/m,
    ]) {
      assert.match(text, wanted);
    }
  });

  it('keeps what matters most where it is narrow', () => {
    const text = screen(historyOf(busy), 40, 30).join('\n');
    for (const wanted of [/● live$/m, /Trouble/, / {2}P99 31\d ms/, /5xx 1\.9 %/, /\/users/]) {
      assert.match(text, wanted);
    }
  });

  it('says how many workers and routes have no room', () => {
    const many = historyOf((model) => {
      for (let route = 0; route < 30; route++) model.add(request({ route: `/r${route}` }));
    }, 30);
    const text = screen(many, 80, 30).join('\n');
    assert.match(text, /^and 2\d less busy workers$/m);
    assert.match(text, /^and 26 more routes$/m);
    assert.doesNotMatch(screen(many, 80, 90).join('\n'), /more|less busy/);
  });

  it('leaves out the least busy workers, and none where there is just room for all', () => {
    const names = (rows: number): readonly string[] => {
      const workers = ['1', '2', '3', '4'].map((worker) =>
        workerWith(worker, { cpuSeconds: Number(worker) / 10 }),
      );
      const lines = workerTable(pointWith({ workers }), 80, rows);
      return lines.map((line) => paint(line, 80, false).split(/ {2}/, 1)[0]);
    };
    assert.deepEqual(names(5), ['WORKER', '1', '2', '3', '4']);
    assert.deepEqual(names(4), ['WORKER', '4', '3', 'and 2 less busy workers']);
    assert.deepEqual(names(1), []);
    const rows = routeRows(
      [1, 2, 3].map((count) => ({
        ...{ route: `/${count}`, method: 'GET', count, clientErrors: 0, serverErrors: 0 },
        latency: [],
      })),
      1,
    );
    const routes = (room: number): readonly string[] =>
      routeTable(rows, BUSIEST_FIRST, 80, room).map((line) =>
        paint(line, 80, false).slice(0, 20).trimEnd(),
      );
    assert.deepEqual(routes(4), ['ROUTE', 'GET     /3', 'GET     /2', 'GET     /1']);
    assert.deepEqual(routes(3), ['ROUTE', 'GET     /3', 'and 2 more routes']);
    assert.deepEqual(routes(1), []);
  });

  it('is colored only where that is wanted', () => {
    const session = new TerminalSession(TARGET);
    const history = historyOf(busy);
    const size = { columns: 80, rows: 24 };
    const colored = session.render(history, history.server, null, size, true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colors are control sequences
    const plain = colored.map((line) => line.replaceAll(/\u001b\[[\d;]*m/g, ''));
    assert.deepEqual(plain, session.render(history, history.server, null, size, false));
    assert.notDeepEqual(colored, plain);
  });

  it('has full lines over time with a long interval, too', () => {
    const history = new History(HISTORY_SECONDS_MAX * 60);
    for (const [index, step] of stepsOf(80, () => {}).entries()) {
      const point = { ...step.point, time: START + index * 60, seconds: 60, requests: 60 };
      history.add({ ...step, point });
    }
    assert.match(screen(history, 100, 40)[3], /^Requests\/s +1\.0 +█{60,} max 1\.0$/);
  });

  it('says that no metrics come, and for how long', () => {
    const history = historyOf(busy);
    const absence = { seconds: 12, problem: 'connection\u001b refused' };
    const size = { columns: 90, rows: 24 };
    const lines = new TerminalSession(TARGET).render(history, null, absence, size, false);
    assert.match(lines[0], /● reconnecting$/);
    assert.equal(lines[1], '✕ Reconnecting  no metrics for 12 s: connection\\x1b refused');
    const session = new TerminalSession(TARGET);
    session.pressed('pause', history);
    const facts = session.render(
      history,
      history.server,
      { ...absence, seconds: 120 },
      size,
      false,
    );
    // It is up for 130 seconds at the last point, and no metrics have come for 2 minutes.
    assert.match(facts[0], /up 4 min .*● reconnecting$/);
    const first = new TerminalSession(TARGET).render(new History(), null, null, size, false);
    assert.match(first.join('\n'), /Waiting[\s\S]*no requests/);
  });
});

describe('keys', () => {
  it('are found in what a terminal sends', () => {
    const sent = '\u001b[Cq\u001bOD\u001b[Ax\u001b[1;5C\u001b[<0;1;1M日p\u0003';
    assert.deepEqual(keysIn(sent), ['next', 'quit', 'previous', 'up', 'pause', 'interrupt']);
    assert.deepEqual(keysIn('\u001b'), []);
  });

  it('sort, pause and quit', () => {
    const session = new TerminalSession(TARGET);
    const history = historyOf(busy);
    const head = () => screen(history, 100, 40, session).find((line) => /^ROUTE/.test(line));
    assert.match(head() ?? '', /REQ\/S ↓/);
    for (const [key, wanted] of [
      ['next', /P50 ↓/],
      ['up', /P50 ↑/],
      ['down', /P50 ↓/],
      ['previous', /REQ\/S ↓/],
      ['previous', /ROUTE ↑/],
      ['previous', /5XX ↓/],
    ] as const) {
      assert.equal(session.pressed(key, history), 'draw');
      assert.match(head() ?? '', wanted);
    }
    const before = screen(history, 100, 40, session).slice(2);
    session.pressed('pause', history);
    for (const step of stepsOf(5, () => {})) {
      history.add({ ...step, point: { ...step.point, time: step.point.time + 60 } });
    }
    const paused = screen(history, 100, 40, session);
    assert.match(paused[0], /● paused$/);
    assert.deepEqual(paused.slice(2, -1), before.slice(0, -1));
    session.pressed('pause', history);
    assert.match(screen(history, 100, 40, session)[0], /● live$/);
    assert.equal(session.pressed('quit', history), 'quit');
    assert.equal(session.pressed('interrupt', history), 'interrupt');
    assert.equal(session.pressed('other', history), null);
  });
});

describe('text for a terminal', () => {
  it('is cut and filled by cells', () => {
    assert.equal(cellsOf('a日\u0301😀é'), 6);
    assert.equal(fit('日本語', 5), '日本…');
    assert.equal(fit('日本語', 4), '日… ');
    assert.equal(fit('ab', 4, 'right'), '  ab');
    assert.equal(fit('abc', 0), '');
    for (const wide of ['\u1100', '\u115f', '\uffe6', '\u{3fffd}']) assert.equal(cellsOf(wide), 2);
    for (const narrow of ['\u1160', '\uffe7', 'é']) assert.equal(cellsOf(narrow), 1);
    assert.equal(paint([part('ab'), part('cd', 'bold')], 2, true), 'ab');
    assert.equal(paint([part('ab', 'bold'), part('cd')], 3, true), '\u001b[1mab\u001b[0m…');
  });

  it('draws small bars', () => {
    assert.equal(sparkline([0, 1, 2, 4, 7], 5), '▁▂▃▅█');
    assert.equal(sparkline([1, null, 1], 5), '  █ █');
    assert.equal(sparkline([9, 0, 0], 2), '▁▁');
  });

  it('has no rates since a start that the server does not say', () => {
    const snapshot = snapshotOf({ version: 1, time: START, families: [] });
    assert.match(onceText(snapshot, TARGET), /\nthe snapshot does not say since when[^\n]+\n$/);
  });

  it('is one line for an interval, and a summary of one snapshot', () => {
    const { point } = stepsOf(1, busy)[0];
    const line = lineText(columnOf([point]));
    assert.match(line, /^\d\d:\d\d:\d\d {2}52 requests\/s {2}P50 4\d\d us {2}P99 31\d ms {2}5xx/);
    assert.match(line, / {2}5xx 1\.9 % {2}open 1,234 {2}busiest core 93 %$/);
    const morning = new Date(2026, 0, 2, 3, 4, 5).getTime() / 1000;
    const statuses = [0, 1, 0, 1, 2];
    const late = lineText(columnOf([pointWith({ time: morning, requests: 4, statuses })]));
    assert.match(late, /^03:04:05 .* 5xx 50 % /);
    const absent = absenceText(START, { seconds: 3, problem: 'no response within 5 s' });
    assert.match(absent, /^\d\d:\d\d:\d\d {2}no metrics for 3 s: no response within 5 s$/);
    const model = new Model({ workers: 2, started: START - 10 });
    busy(model);
    const text = onceText(snapshotOf(model.snapshot(START)), TARGET);
    assert.match(text, /^Since it started, 10 s ago:\nRequests {5}52, 5\.2 a second$/m);
    assert.match(text, /^GET {5}\/users\/:id +5\.0 /m);
    for (const line of text.split('\n')) assert.doesNotMatch(line, CONTROL);
    for (let route = 0; route < 70; route++) model.add(request({ route: `/r${route}` }));
    assert.equal(onceText(snapshotOf(model.snapshot(START)), TARGET).match(/ \/r\d/g)?.length, 70);
    assert.match(onceText(snapshotOf(model.snapshot(START - 10)), TARGET), /just started/);
  });
});
