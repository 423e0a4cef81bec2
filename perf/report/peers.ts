// The section of other servers: a table for each scenario.

import { SERVER_NAMES } from '../catalog/peers.ts';
import type { ResultLine } from '../measure/results.ts';
import { aboutOf, inOrder } from './scenarios.ts';
import { countText, emptySection, escapeHtml, latencyText, microsText, ratioText } from './text.ts';

export function peersSection(lines: readonly ResultLine[]): string {
  const head = '<h2 id="peers">Versus other servers</h2>';
  const last = lines
    .map(({ startedAt }) => startedAt)
    .sort()
    .at(-1);
  const run = inOrder(lines.filter(({ startedAt }) => startedAt === last));
  if (run.length === 0) {
    return `${head}\n${emptySection('Not compared yet:', 'npm run perf:peers')}`;
  }
  const scenarios = [...new Set(run.map(({ scenario }) => scenario))];
  return `${head}
<p class="lead">Each server runs in one process on the same core, configured for speed as its own
documentation advises. All have the same load, with windows in turn.</p>
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

function tableHtml(scenario: string, lines: readonly ResultLine[]): string {
  const sorted = [...lines].sort((left, right) => right.rate.median - left.rate.median);
  const own = sorted.find(({ server }) => server === 'uring' || server === 'epoll');
  const rows = sorted.map((line) => {
    const isOwn = line.driver !== '';
    const name = SERVER_NAMES[line.server] ?? line.server;
    const to = own === undefined ? undefined : line.rate.median / own.rate.median;
    const cells = [
      countText(line.rate.median),
      ratioText(to),
      microsText(line.cpuUs?.median),
      latencyText(line.latencyMs['99']),
    ];
    const numbers = cells.map((text) => `<td>${escapeHtml(text)}</td>`).join('');
    return `<tr${isOwn ? ' class="own"' : ''}><td>${escapeHtml(name)}</td>${numbers}</tr>`;
  });
  return `<figure class="peers"><h3>${escapeHtml(scenario)}</h3>
<figcaption>${escapeHtml(aboutOf(scenario))}</figcaption>
<div class="scroll"><table>
<tr><th>server</th><th>requests/s</th><th>to Vibing</th><th>CPU</th><th>P99</th></tr>
${rows.join('\n')}
</table></div></figure>`;
}
