// The check that the marks `// Hot:` of src/ are those that profiles found:
// perf/profile/hot-files.json, which npm run perf:hot writes.

import type { Source } from './source.ts';

const LIST = 'perf/profile/hot-files.json';

/** A file of src/ begins with `// Hot:` exactly when the list has it. */
export function hotMarks(sources: readonly Source[]): readonly string[] {
  const list = sources.find(({ path }) => path === LIST);
  if (list === undefined) return [`${LIST} is missing: npm run perf:hot writes it`];
  const { files } = JSON.parse(list.lines.join('\n')) as { readonly files: object };
  const hot = new Set(Object.keys(files));
  const problems: string[] = [];
  for (const { path, lines } of sources) {
    if (!/^src\/.*\.ts$/.test(path)) continue;
    const isMarked = /^\/\/ Hot: /.test(lines[0] ?? '');
    const isHot = hot.delete(path);
    if (isMarked && !isHot) problems.push(`${path}: marked as hot, but not in ${LIST}`);
    if (!isMarked && isHot) problems.push(`${path}: in ${LIST}, but line 1 is not // Hot: ...`);
  }
  return [...problems, ...[...hot].map((path) => `${path}: in ${LIST}, but does not exist`)];
}
