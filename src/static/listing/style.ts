// The style sheet of the page of a listing. Widths of columns are fixed, so that rows that arrive
// later move nothing.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #fff; --text: #1c2430; --soft: #596273; --line: #e3e6eb;
  --link: #1f50c8; --hover: #eff4ff; --ring: #2f66e8;
  --d: #b26a00; --c: #0b7285; --i: #2b7a3d; --v: #a3359b; --a: #6741d9; --z: #a8501f; --p: #c03030;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151b; --card: #1a1e26; --text: #e4e8ef; --soft: #9aa4b5; --line: #2b313c;
    --link: #8db4ff; --hover: #222a3a; --ring: #7aa5ff;
    --d: #f2b54f; --c: #5cc8d8; --i: #7bd08b; --v: #e394dc; --a: #b7a1ff;
    --z: #f09a68; --p: #ff8f8f;
  }
}
* { box-sizing: border-box; }
html { scroll-padding: 5.5rem 0 2rem; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', sans-serif;
}
.sprite, h1 {
  position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%);
}
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; align-items: center; gap: 1rem; min-height: 4.75rem; }
nav { flex: 1; min-width: 0; font-size: 1.1rem; }
nav ol { display: flex; flex-wrap: wrap; gap: 0.1rem 0; margin: 0; padding: 0; list-style: none; }
nav li { display: flex; align-items: center; min-width: 0; overflow-wrap: anywhere; }
nav li + li::before { content: '/' / ''; color: var(--soft); padding: 0 0.3rem; }
nav a, nav b { padding: 0.15rem 0.25rem; border-radius: 0.35rem; }
nav a:first-child svg, nav b svg { display: block; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--ring); outline-offset: -2px; border-radius: 0.35rem; }
form { position: relative; }
output { position: absolute; right: 0.75rem; top: 0.6rem; color: var(--soft); font-size: 0.87rem; }
input {
  width: 17rem; padding: 0.45rem 6.5rem 0.45rem 0.75rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid #8a93a3; border-radius: 0.6rem;
}
input::-webkit-search-cancel-button { display: none; }
input::placeholder { color: var(--soft); opacity: 1; }
table {
  width: 100%; table-layout: fixed; border-spacing: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.8rem;
}
th, td { padding: 0; text-align: left; font-weight: inherit; border-bottom: 1px solid var(--line); }
tbody:last-child tr:last-child td { border-bottom: 0; }
th {
  position: sticky; top: 0; z-index: 1; background: var(--card); font-size: 0.87rem;
  border-radius: 0.8rem 0.8rem 0 0;
}
th a { display: flex; gap: 0.4em; padding: 0.6rem 1rem; color: var(--soft); }
th.size a { flex-direction: row-reverse; }
th i { font-style: normal; font-weight: 400; }
th[aria-sort] a { color: var(--text); font-weight: 600; }
th a::after { content: '\\2191' / ''; visibility: hidden; }
th[aria-sort] a::after { visibility: visible; }
th[aria-sort=descending] a::after { content: '\\2193' / ''; }
.size { width: 7.5rem; text-align: right; }
.date { width: 12.5rem; }
td.size, td.date {
  padding: 0 1rem; color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums;
}
td a { display: flex; align-items: center; gap: 0.75rem; padding: 0.5rem 1rem; color: var(--text); }
td a:hover { text-decoration: none; }
td bdi { min-width: 0; overflow-wrap: anywhere; }
tbody tr:hover, tbody tr:focus-within { background: var(--hover); }
tbody tr:hover bdi { text-decoration: underline; text-underline-offset: 0.2em; }
svg {
  flex: none; width: 1.25rem; height: 1.25rem; fill: none; stroke: var(--soft);
  stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round;
}
svg.d { stroke: var(--d); fill: color-mix(in srgb, var(--d) 18%, transparent); }
svg.c { stroke: var(--c); } svg.i { stroke: var(--i); } svg.v { stroke: var(--v); }
svg.a { stroke: var(--a); } svg.z { stroke: var(--z); } svg.p { stroke: var(--p); }
svg.h { stroke: currentColor; }
.note, .empty {
  margin: 0 0 1rem; padding: 0.6rem 1rem; border: 1px solid var(--line); border-radius: 0.6rem;
}
.empty { margin: 0; border: 0; color: var(--soft); }
section {
  margin-top: 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.8rem;
}
h2 {
  margin: 0; padding: 0.6rem 1rem; font-size: 0.87rem; font-weight: 600;
  border-bottom: 1px solid var(--line);
}
pre {
  margin: 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font: 0.87rem/1.55 ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
}
footer {
  display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; padding: 1rem 1.25rem 2rem;
  color: var(--soft); font-size: 0.87rem;
}
footer p { margin: 0; }
.keys { margin-left: auto; visibility: hidden; }
.js .keys { visibility: visible; }
kbd {
  padding: 0 0.35rem; border: 1px solid var(--line); border-radius: 0.3rem;
  font: inherit; background: var(--card);
}
@media (max-width: 40rem) {
  header, main, footer { padding-left: 0.75rem; padding-right: 0.75rem; }
  header {
    flex-direction: column; align-items: stretch; gap: 0.6rem; padding-top: 1rem;
    padding-bottom: 0.75rem;
  }
  input { width: 100%; font-size: 16px; }
  .size { width: 4.6rem; } .date { width: 5.9rem; }
  td time span, th i, .keys { display: none; }
  td a, th a { padding-left: 0.75rem; padding-right: 0.4rem; }
  td a { gap: 0.6rem; }
  td.size, td.date { padding: 0 0.4rem; font-size: 0.8rem; }
}
@media print { form, .keys { display: none; } }
`;
