// The HTML page that lists a directory: names, sizes and times, directories first. It needs no
// scripts.

import { type DirectoryEntry, FileKind } from '../async-io/async-io.ts';

/** `path` is the decoded path of the directory; it ends in a slash. */
export function listingPage(path: string, entries: readonly DirectoryEntry[]): string {
  const shown = entries.filter(isShown).sort(byKindAndName);
  const rows = shown.map(row);
  if (path !== '/') rows.unshift('<tr><td><a href="../">../</a></td><td></td><td></td></tr>');
  const title = `Index of ${escapeHtml(path)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: 0.3rem 0.6rem; border-bottom: 1px solid #8884; }
td:first-child { overflow-wrap: anywhere; }
td:nth-child(2), th:nth-child(2) { text-align: right; white-space: nowrap; }
td:nth-child(3) { white-space: nowrap; opacity: 0.7; }
a { text-decoration: none; }
a:hover { text-decoration: underline; }
</style>
</head>
<body>
<h1>${title}</h1>
<table>
<thead><tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</body>
</html>
`;
}

/** Names that begin with a dot are hidden. What is neither file nor directory is never sent. */
function isShown({ name, stat }: DirectoryEntry): boolean {
  return !name.startsWith('.') && stat.kind !== FileKind.Other;
}

function row(entry: DirectoryEntry): string {
  const isDirectory = entry.stat.kind === FileKind.Directory;
  const name = isDirectory ? `${entry.name}/` : entry.name;
  // Without the dot and slash before it, a name such as `a:b` would begin with a URI scheme.
  const link = `./${encodeURIComponent(entry.name)}${isDirectory ? '/' : ''}`;
  const size = isDirectory ? '' : sizeText(entry.stat.bytes);
  const time = timeText(entry.stat.modifiedMs);
  return (
    `<tr><td><a href="${escapeHtml(link)}">${escapeHtml(name)}</a></td>` +
    `<td>${size}</td><td>${time}</td></tr>`
  );
}

function byKindAndName(one: DirectoryEntry, other: DirectoryEntry): number {
  const oneFirst = one.stat.kind === FileKind.Directory;
  const otherFirst = other.stat.kind === FileKind.Directory;
  if (oneFirst !== otherFirst) return oneFirst ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}

/** Empty for a time outside the range of Date, which some file systems can store. */
function timeText(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '';
  return date.toISOString().slice(0, -8).replace('T', ' ');
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character]);
}
