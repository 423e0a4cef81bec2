// The settings of the site: its navigation, local search, and no resource of another host. The
// build copies them beside the pages (see .ci/docs-site.mjs).

const GROUPS = {
  Start: ['getting-started', 'cookbook', 'migration', 'comparison'],
  Reference: [
    'api',
    'middleware',
    'configuration',
    'static-files',
    'listing',
    'fetch',
    'testing',
    'load',
    'lifetimes',
  ],
  Operation: ['operations', 'deployment', 'metrics', 'metrics-viewer', 'security', 'performance'],
};

/** Pages that no group names are for those who work on the server. */
const REST = 'Development';

const titles = JSON.parse(process.env.VIBING_SITE_TITLES ?? '{}');
const named = Object.values(GROUPS).flat();
const others = Object.keys(titles).filter((page) => !named.includes(page));

const item = (page) => ({ text: titles[page] ?? page, link: `/${page}` });

/**
 * The colours of the sample site, and enough contrast for the names of languages. Commands in the
 * first column of a table do not break, and tables are narrower on a phone, where they scroll.
 */
const STYLE = `
:root { --vp-c-brand-1: #a83a08; --vp-c-brand-2: #8a2f06; --vp-c-brand-3: #a83a08;
  --vp-c-brand-soft: rgb(168 58 8 / 12%); }
.dark { --vp-c-brand-1: #ff9d5c; --vp-c-brand-2: #ffb684; --vp-c-brand-3: #a83a08;
  --vp-c-brand-soft: rgb(255 157 92 / 16%); }
.vp-doc [class*='language-'] > span.lang { color: var(--vp-c-text-2); }
.vp-doc td:first-child code { white-space: nowrap; }
@media (max-width: 640px) {
  .vp-doc th, .vp-doc td { padding: 6px 8px; font-size: 13px; }
  .vp-doc td:first-child code { white-space: normal; }
}
`;

// biome-ignore lint/style/noDefaultExport: VitePress imports the default.
export default {
  title: 'Vibing',
  description: 'A lean, very fast HTTP/1.1 server in TypeScript',
  lang: 'en',
  head: [
    ['link', { rel: 'icon', href: '/favicon.svg', type: 'image/svg+xml' }],
    ['style', {}, STYLE],
  ],
  markdown: {
    // Text such as <name> is no HTML.
    html: false,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // Notations of the project's own cases.
    languageAlias: { request: 'http', expect: 'ini' },
  },
  ignoreDeadLinks: false,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [...Object.entries(GROUPS), [REST, others]].map(([text, pages]) => ({
      text,
      items: pages.map(item),
    })),
    nav: [item('getting-started'), item('cookbook'), item('api'), item('operations')],
  },
};
