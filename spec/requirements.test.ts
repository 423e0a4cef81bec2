// Every requirement of the RFCs has a test or a reason, every quote is of a sentence that exists,
// and spec/requirements.md is up to date. UPDATE_DOCS=1 in the environment writes that page.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allCases } from './cases/load.ts';
import {
  allRequirements,
  allStatements,
  ROOT,
  requirementsOf,
  statementsOf,
} from './requirements/read.ts';
import { render } from './requirements/render.ts';
import { type QuotingCase, trace } from './requirements/trace.ts';

const PAGE = join(ROOT, 'spec/requirements.md');

function sourceOf(file: string): string {
  const path = join(ROOT, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

describe('requirements', () => {
  const found = trace(allRequirements(), allStatements(), allCases(), sourceOf);

  it('have a test or a reason each, and every quote is of a known sentence', () => {
    assert.deepEqual(found.problems, []);
  });

  it('are listed on an up-to-date page', () => {
    const page = render(found);
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, page);
    assert.equal(readFileSync(PAGE, 'utf8'), page, 'UPDATE_DOCS=1 npm test -- requirements');
  });

  it('are each listed once', () => {
    const sentences = allRequirements().map(({ rfc, section, sentence }) =>
      [rfc, section, sentence].join(' '),
    );
    assert.equal(new Set(sentences).size, sentences.length);
  });
});

describe('the tracing', () => {
  const listing = `# RFC 9112

Words.

## 6.1 A title

- server: A server MUST send nothing (Section 2 of [HTTP]), ever.
- client: A client SHOULD NOT ask.
`;
  const source = (file: string): string =>
    file === 'spec/a.test.ts' ? "  it('a name', () => {\n  // a name in words\n" : '';

  function problems(
    requirements: string,
    quote: string,
    section = '6.1',
    statements = '',
  ): readonly string[] {
    const one: QuotingCase = {
      id: 'file#case',
      file: 'spec/cases/file.md',
      rules: quote === '' ? [] : [{ rfc: '9112', section, quote, line: 7 }],
    };
    const read = requirementsOf('9112', requirements);
    return trace(read, statementsOf(statements), [one], source).problems;
  }

  it('accepts a quote of any part of a sentence, without references', () => {
    assert.deepEqual(problems(listing, 'A server MUST send nothing, ever.'), []);
    assert.deepEqual(problems(listing, 'MUST send nothing'), []);
  });

  it('rejects a quote of another section, or of no sentence', () => {
    assert.match(
      problems(listing, 'A server MUST send nothing', '6.2').join(),
      /file\.md:7: no sent/,
    );
    assert.match(
      problems(listing, 'A server MUST send something').join(),
      /no sentence of RFC 9112/,
    );
  });

  it('accepts a plain statement, and rejects one that no case quotes', () => {
    const withTest = listing.replace('ever.', 'ever.\n  - test: spec/a.test.ts "a name"');
    const statement = '- 9112 §6.1: Nothing is sent.';
    assert.deepEqual(problems(withTest, 'Nothing is sent', '6.1', statement), []);
    assert.match(
      problems(withTest, '', '6.1', statement).join(),
      /no case quotes: Nothing is sent/,
    );
  });

  it('requires a test or a reason', () => {
    assert.match(problems(listing, '').join(), /^9112-6\.1-1 has neither a test nor a reason/);
    assert.deepEqual(problems(listing.replace('ever.', 'ever.\n  - because: so'), ''), []);
  });

  it('rejects tests that do not exist', () => {
    const named = (test: string): string => listing.replace('ever.', `ever.\n  - test: ${test}`);
    assert.deepEqual(problems(named('spec/a.test.ts "a name"'), ''), []);
    assert.match(
      problems(named('spec/b.test.ts "a name"'), '').join(),
      /spec\/b\.test\.ts does not exist/,
    );
    assert.match(problems(named('spec/a.test.ts "in words"'), '').join(), /has no test "in words"/);
  });

  for (const [what, line] of [
    ['no role', '- server A server MUST do.'],
    ['an unknown role', '- robot: A robot MUST do.'],
    ['no keyword', '- server: A server does.'],
    ['other words', 'And so on.'],
    ['an unknown mark', '  - tests: spec/a.test.ts "x"'],
  ] as const) {
    it(`rejects a line with ${what}`, () => {
      assert.throws(() => requirementsOf('9112', `${listing}${line}\n`), /rfc9112\.md:\d+: /);
    });
  }

  it('rejects a statement without its section', () => {
    assert.throws(() => statementsOf('- 9112: Nothing is sent.'), /the form is/);
  });
});
