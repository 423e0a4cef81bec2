// The section of the gate: the checks of its last run.

import type { ResultCheck, ResultLine } from '../measure/results.ts';
import { dateText, emptySection, escapeHtml } from './text.ts';

const CLASSES: Readonly<Record<ResultCheck['state'], string>> = {
  met: 'met',
  MISSED: 'missed',
  'NOT JUDGED': 'open',
};

export function gateSection(lines: readonly ResultLine[]): string {
  const head = '<h2 id="gate">The gate</h2>';
  const judged = lines.filter(({ checks }) => checks.length > 0);
  const last = [...judged].sort((a, b) => a.startedAt.localeCompare(b.startedAt)).at(-1);
  if (last === undefined) return `${head}\n${emptySection('Not run yet:', 'npm run perf:gate')}`;
  const rows = last.checks.map(
    ({ name, state, text }) =>
      `<tr><td>${escapeHtml(name)}</td>` +
      `<td class="wide state ${CLASSES[state] ?? 'open'}">${escapeHtml(state)}</td>` +
      `<td class="wide">${escapeHtml(text)}</td></tr>`,
  );
  const when = `at ${last.commit}, ${dateText(last.startedAt)}`;
  return `${head}
<p class="lead">The thresholds that every change has to meet, ${escapeHtml(when)}.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Thresholds"><table class="checks">
<tr><th>check</th><th class="wide">state</th><th class="wide">figure</th></tr>
${rows.join('\n')}
</table></div>`;
}
