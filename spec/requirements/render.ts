// Renders the page that lists for every requirement its tests, or the reason why there are none.

import type { Trace, Traced } from './trace.ts';

/** At most so many cases are listed for a sentence; the page shows the number of the others. */
const CASES_SHOWN = 6;

const TITLES: Readonly<Record<string, string>> = {
  '9112': 'RFC 9112: HTTP/1.1',
  '9110': 'RFC 9110: HTTP semantics',
};

const BEGIN = `# Requirements and their tests

Generated from the sentences in [requirements/](requirements/rfc9112.md) and the quotes in
[cases/](cases/README.md) by a test, which fails when this page is out of date;
\`UPDATE_DOCS=1 npm test -- requirements\` writes it. Every sentence of RFC 9112 with a
requirement, and those of RFC 9110 that bind a server, a recipient of requests or a sender of
responses, each with its tests or the reason why there are none.
`;

export function render({ traced }: Trace): string {
  const lines = [BEGIN, ...counts(traced)];
  let rfc = '';
  let section = '';
  for (const one of traced) {
    const { requirement } = one;
    if (requirement.rfc !== rfc) {
      rfc = requirement.rfc;
      section = '';
      lines.push('', `## ${TITLES[rfc] ?? rfc}`);
    }
    if (requirement.section !== section) {
      section = requirement.section;
      lines.push('', `### ${section} ${requirement.title}`, '');
    }
    lines.push(...entry(one));
  }
  return `${lines.join('\n')}\n`;
}

/** The table of how many sentences there are, and how many are tested. */
function counts(traced: readonly Traced[]): string[] {
  const rows = ['| | sentences | tested | with a reason only |', '| --- | ---: | ---: | ---: |'];
  for (const [rfc, title] of Object.entries(TITLES)) {
    const traces = traced.filter(({ requirement }) => requirement.rfc === rfc);
    const tested = traces.filter(isTested).length;
    rows.push(`| ${title} | ${traces.length} | ${tested} | ${traces.length - tested} |`);
  }
  return rows;
}

function isTested({ requirement, cases }: Traced): boolean {
  return requirement.tests.length + cases.length > 0;
}

function entry({ requirement, cases }: Traced): string[] {
  const { id, levels, bound, sentence, tests, reason } = requirement;
  const lines = [`- **${id}** ${levels.join(', ')}; ${bound}: ${sentence}`];
  if (cases.length > 0) {
    const shown = cases.slice(0, CASES_SHOWN).map(caseLink).join(', ');
    const more = cases.length > CASES_SHOWN ? ` and ${cases.length - CASES_SHOWN} more` : '';
    lines.push(`  - ${cases.length === 1 ? 'case' : `${cases.length} cases`}: ${shown}${more}`);
  }
  for (const { file, name } of tests) {
    const path = file.replace(/^spec\//, '');
    lines.push(`  - [${path}](${path}): ${name.replaceAll('$', '\\$')}`);
  }
  if (reason !== null) lines.push(`  - ${reason}`);
  return lines;
}

function caseLink(id: string): string {
  const [file = '', name = ''] = id.split('#');
  return `[${id}](cases/${file}.md#${name})`;
}
