// A listing as a page. Everything is in the page itself: style, script and icons.

import { iconFor, iconHtml, SPRITE } from './icons.ts';
import type { SortKey } from './order.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';
import {
  countsText,
  escapeHtml,
  exactSizeText,
  isoTime,
  linkTo,
  shownName,
  sizeText,
} from './text.ts';
import type { ListingQuery, ListingView, Readme, ShownEntry, Totals } from './view.ts';

/** Order of the first click: the largest and the newest are wanted more often. */
const COLUMNS = [
  { sort: 'name', first: 'asc', title: 'Name' },
  { sort: 'size', first: 'desc', title: 'Size' },
  { sort: 'date', first: 'desc', title: 'Modified<i> (UTC)</i>' },
] as const;

/** The texts that the page's policy allows, by their digest. */
export const INLINE: { readonly style: string; readonly script: string } = {
  style: STYLE,
  script: SCRIPT,
};

/** The digests are SHA-256 in base64. */
export function contentPolicy(styleDigest: string, scriptDigest: string): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${styleDigest}'`,
    `script-src 'sha256-${scriptDigest}'`,
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}

export class PageView implements ListingView {
  readonly type = 'text/html; charset=utf-8';
  readonly fields: readonly (readonly [string, string])[];
  readonly showsReadme = true;
  readonly #path: string;
  readonly #query: ListingQuery;
  readonly #entriesMax: number;

  /** `path` is the decoded path of the directory; it ends in a slash. */
  constructor(path: string, query: ListingQuery, policy: string, entriesMax: number) {
    this.#path = path;
    this.#query = query;
    this.#entriesMax = entriesMax;
    this.fields = [['Content-Security-Policy', policy]];
  }

  top(): string {
    const title = `Index of ${shownName(this.#path)}`;
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${INLINE.style}</style>
<script>${INLINE.script}</script>
</head>
<body>
${SPRITE}
<header>
<nav aria-label="Path"><ol>${this.#crumbs()}</ol></nav>
${this.#form()}
</header>
<main>
<h1>${title}</h1>
`;
  }

  /** Each is a link with as many steps up as there are folders after it. */
  #crumbs(): string {
    const names = this.#path.split('/').slice(1, -1);
    const home = iconHtml('h');
    const crumbs = names.map((name, index) => {
      const shown = `<bdi>${shownName(name)}</bdi>`;
      const steps = names.length - 1 - index;
      if (steps === 0) return `<li><b aria-current="page">${shown}</b></li>`;
      return `<li><a href="${'../'.repeat(steps)}">${shown}</a></li>`;
    });
    const label = '<a href="./" aria-label="Home" aria-current="page">';
    const root =
      names.length === 0 ? label : `<a href="${'../'.repeat(names.length)}" aria-label="Home">`;
    return [`<li>${root}${home}</a></li>`, ...crumbs].join('');
  }

  #form(): string {
    const { sort, isDescending, filter } = this.#query;
    return (
      '<form role="search"><output aria-live="polite"></output>' +
      `<input type="hidden" name="sort" value="${sort}">` +
      `<input type="hidden" name="order" value="${isDescending ? 'desc' : 'asc'}">` +
      '<input type="search" id="filter" name="filter" aria-label="Filter by name" ' +
      'placeholder="Filter by name" autocomplete="off" autocapitalize="off" spellcheck="false" ' +
      `maxlength="255" value="${escapeHtml(filter)}"></form>`
    );
  }

  begin(isSorted: boolean): string {
    const headers = COLUMNS.map(({ sort, first, title }) => {
      const isThis = isSorted && sort === this.#query.sort;
      const { isDescending } = this.#query;
      const order = isThis ? (isDescending ? 'asc' : 'desc') : first;
      const state = isThis ? ` aria-sort="${isDescending ? 'descending' : 'ascending'}"` : '';
      const link = escapeHtml(this.#link(sort, order));
      const names = `data-sort="${sort}" data-first="${first}"`;
      return `<th scope="col" class="${sort}" ${names}${state}><a href="${link}">${title}</a></th>`;
    });
    const limit = this.#entriesMax.toLocaleString('en-US');
    const note = `<p class="note">More than ${limit} entries: they are in no order.</p>\n`;
    const table = `<table data-filter="${escapeHtml(this.#query.filter)}">`;
    const up =
      `<tr class="up"><td><a href="../">${iconHtml('u')}<bdi>Parent folder</bdi></a></td>` +
      '<td class="size"></td><td class="date"></td></tr>\n';
    return (
      `${isSorted ? '' : note}${table}\n<thead><tr>${headers.join('')}</tr></thead>\n` +
      `<tbody>\n${this.#path === '/' ? '' : up}`
    );
  }

  #link(sort: SortKey, order: string): string {
    const { filter } = this.#query;
    const rest = filter === '' ? '' : `&filter=${encodeURIComponent(filter)}`;
    return `?sort=${sort}&order=${order}${rest}`;
  }

  rows(entries: readonly ShownEntry[]): string {
    return entries.map(row).join('');
  }

  end({ folders, files, bytes }: Totals, readme: Readme | null): string {
    const size =
      files === 0 ? '' : `, <span title="${exactSizeText(bytes)}">${sizeText(bytes)}</span>`;
    return `</tbody>
</table>
${readme === null ? '' : readmeHtml(readme)}</main>
<footer>
<p>${countsText(folders, files)}${size}</p>
<p class="keys"><kbd>&uarr;</kbd> <kbd>&darr;</kbd> move, <kbd>Enter</kbd> open,
<kbd>/</kbd> filter, <kbd>Backspace</kbd> up</p>
</footer>
</body>
</html>
`;
  }
}

function row({ name, isFolder, bytes, modifiedMs }: ShownEntry): string {
  const icon = iconHtml(isFolder ? 'd' : iconFor(name));
  const shown = `<bdi>${shownName(name)}</bdi>`;
  const size = isFolder
    ? ''
    : `<data value="${bytes}" title="${exactSizeText(bytes)}">${sizeText(bytes)}</data>`;
  return (
    `<tr><td><a href="${linkTo(name, isFolder)}">${icon}${shown}</a></td>` +
    `<td class="size">${size}</td><td class="date">${timeHtml(modifiedMs)}</td></tr>\n`
  );
}

/** To the minute; a narrow screen shows only the day. */
function timeHtml(ms: number): string {
  const iso = isoTime(ms);
  if (iso === '') return '';
  const at = iso.indexOf('T');
  const [day, time] = [iso.slice(0, at), iso.slice(at + 1, at + 6)];
  return `<time datetime="${iso}" title="${iso}">${day}<span> ${time}</span></time>`;
}

function readmeHtml({ name, text, isTruncated }: Readme): string {
  const rest = isTruncated ? '\n<p class="empty">The rest of this file is not shown.</p>' : '';
  // A parser removes a line end that directly follows the tag.
  return `<section aria-labelledby="readme">
<h2 id="readme"><bdi>${shownName(name)}</bdi></h2>
<pre>
${escapeHtml(text)}</pre>${rest}
</section>
`;
}
