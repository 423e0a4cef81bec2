// The script of the page of a listing: sorting in place, the filter while typing, and the keyboard.
// The page works without it. It is one text, whose digest the page's policy allows.

import { ordering } from './order.ts';

/** Handlers look the page up when they run, because the script starts before its rows exist. */
const HANDLERS = String.raw`
const all = (selector) => document.querySelectorAll(selector);
const find = (selector) => document.querySelector(selector);
const entryRows = () => [...all('tbody tr:not(.up)')];
const entries = new WeakMap();

/** What a row shows, in the form that ordering() compares. */
function entryOf(row) {
  let entry = entries.get(row);
  if (entry === undefined) {
    const link = row.querySelector('a').getAttribute('href').slice(2);
    const size = row.querySelector('data');
    const time = row.querySelector('time');
    const name = decodeURIComponent(link.replace(/\/$/, ''));
    entry = {
      row,
      name,
      lower: name.toLowerCase(),
      isFolder: link.endsWith('/'),
      bytes: size === null ? 0 : Number(size.value),
      modifiedMs: time === null ? 0 : Number(new Date(time.dateTime)),
    };
    entries.set(row, entry);
  }
  return entry;
}

function sortRows(link) {
  const wanted = new URLSearchParams(link.search);
  const sort = wanted.get('sort');
  const isDescending = wanted.get('order') === 'desc';
  const sorted = entryRows().map(entryOf).sort(ordering(sort, isDescending));
  const fragment = document.createDocumentFragment();
  for (const { row } of sorted) fragment.append(row);
  find('tbody').append(fragment);
  history.replaceState(null, '', link.href);
  for (const header of all('th')) {
    const isThis = header.dataset.sort === sort;
    if (isThis) header.setAttribute('aria-sort', isDescending ? 'descending' : 'ascending');
    else header.removeAttribute('aria-sort');
    const next = new URL(header.firstElementChild.href);
    const other = isDescending ? 'asc' : 'desc';
    next.searchParams.set('order', isThis ? other : header.dataset.first);
    header.firstElementChild.href = next.search;
  }
  find('input[name=sort]').value = sort;
  find('input[name=order]').value = isDescending ? 'desc' : 'asc';
}

let reload = 0;

function filterRows() {
  const field = find('#filter');
  const wanted = field.value.toLowerCase();
  const sent = find('table').dataset.filter.toLowerCase();
  clearTimeout(reload);
  // The page has only what the server's filter left.
  if (!wanted.includes(sent)) {
    reload = setTimeout(() => field.form.submit(), 400);
    return;
  }
  const rows = entryRows();
  let shown = 0;
  for (const row of rows) {
    row.hidden = !entryOf(row).lower.includes(wanted);
    if (!row.hidden) shown += 1;
  }
  find('output').value = wanted === '' ? '' : shown + ' of ' + rows.length;
}

/** Moves the focus by a row, or into the list. */
function moveFocus(isDown) {
  const next = (row) => (isDown ? row.nextElementSibling : row.previousElementSibling);
  const current = document.activeElement.closest('tbody tr');
  let row = current === null ? find('tbody').firstElementChild : next(current);
  while (row !== null && row.hidden) row = next(row);
  if (row !== null) row.querySelector('a').focus();
}

function focusFirstEntry() {
  const row = entryRows().find((one) => !one.hidden);
  if (row !== undefined) row.querySelector('a').focus();
}

function pressedInFilter(key, field) {
  if (key === 'Escape') {
    field.value = '';
    filterRows();
    field.blur();
  } else if (key === 'Enter' || key === 'ArrowDown') {
    focusFirstEntry();
  } else {
    return false;
  }
  return true;
}

function pressed(key) {
  if (key === 'ArrowDown' || key === 'j') moveFocus(true);
  else if (key === 'ArrowUp' || key === 'k') moveFocus(false);
  else if (key === '/') find('#filter').select();
  else if (key === 'Backspace' && find('.up') !== null) find('.up a').click();
  else return false;
  return true;
}

document.documentElement.className = 'js';
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (find('table') === null) return;
  const { key, target } = event;
  const isInFilter = target.id === 'filter';
  if (isInFilter ? pressedInFilter(key, target) : pressed(key)) event.preventDefault();
});
document.addEventListener('input', (event) => {
  if (event.target.id === 'filter') filterRows();
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('th a');
  const isPlain = !(event.ctrlKey || event.shiftKey || event.metaKey || event.altKey);
  // Rows that have not arrived yet, or would need too long here, are sorted by the server.
  if (link === null || !isPlain || document.readyState === 'loading') return;
  if (find('.note') !== null) return;
  event.preventDefault();
  sortRows(link);
});
document.addEventListener('mouseover', (event) => {
  const { target } = event;
  if (target.dateTime) target.title = new Date(target.dateTime).toLocaleString();
});
// Also after the way back, when the browser has restored the text of the filter.
addEventListener('pageshow', () => {
  if (find('#filter').value !== '' && find('table') !== null) filterRows();
});
`;

export const SCRIPT: string = `(() => {\n'use strict';\n${ordering.toString()}\n${HANDLERS}})();\n`;
