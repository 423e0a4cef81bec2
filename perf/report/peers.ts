// The section of other servers: a table for each scenario.

import { ownServer, SERVER_NAMES } from '../catalog/peers.ts';
import type { ResultLine } from '../measure/results.ts';
import { aboutOf, inOrder } from './scenarios.ts';
import { countText, emptySection, escapeHtml, latencyText, microsText, ratioText } from './text.ts';

export function peersSection(lines: readonly ResultLine[]): string {
  const head = '<h2 id="peers">Versus other servers</h2>';
  const run = inOrder(lastRun(lines));
  if (run.length === 0) {
    return `${head}\n${emptySection('Not compared yet:', 'npm run perf:peers')}`;
  }
  const scenarios = [...new Set(run.map(({ scenario }) => scenario))];
  return `${head}
<p class="lead">Each server runs in one process on the same core, configured for speed as its own
documentation advises. All have the same load, with windows in turn.
Of requests/s and ratios more is better, of processor time and P99 less.</p>
<div class="plots pairs">
${scenarios
  .map((name) =>
    tableHtml(
      name,
      run.filter((one) => one.scenario === name),
    ),
  )
  .join('\n')}
</div>`;
}

/** The lines of the newest run. */
export function lastRun(lines: readonly ResultLine[]): readonly ResultLine[] {
  const last = lines
    .map(({ startedAt }) => startedAt)
    .sort()
    .at(-1);
  return lines.filter(({ startedAt }) => startedAt === last);
}

/** To our own server of the same run and scenario: within rounds, in old lines of medians. */
export function ratioToOwn(line: ResultLine, run: readonly ResultLine[]): number | undefined {
  if (line.ratio !== null) return line.ratio.median;
  const same = run.filter(({ scenario }) => scenario === line.scenario);
  const name = ownServer(same.map(({ server }) => server));
  const own = same.find(({ server }) => server === name);
  return own === undefined ? undefined : line.rate.median / own.rate.median;
}

function tableHtml(scenario: string, lines: readonly ResultLine[]): string {
  const sorted = [...lines].sort((left, right) => right.rate.median - left.rate.median);
  const rows = sorted.map((line) => {
    const isOwn = line.driver !== '';
    const name = SERVER_NAMES[line.server] ?? line.server;
    const cells = [
      countText(line.rate.median),
      ratioText(ratioToOwn(line, lines)),
      microsText(line.cpuUs?.median),
      latencyText(line.latencyMs['99']),
    ];
    const numbers = cells.map((text) => `<td>${escapeHtml(text)}</td>`).join('');
    return `<tr${isOwn ? ' class="own"' : ''}><td>${escapeHtml(name)}</td>${numbers}</tr>`;
  });
  return `<figure class="peers"><h3>${escapeHtml(scenario)}</h3>
<figcaption>${escapeHtml(aboutOf(scenario))}</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(scenario)}"><table>
<tr><th>server</th><th>requests/s</th><th>to Vibing</th><th>CPU</th><th>P99</th></tr>
${rows.join('\n')}
</table></div></figure>`;
}
