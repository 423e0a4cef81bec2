// Starts the parts that the current page has: every page loads this file.

import { checkLargeFile } from './large.js';
import { showLiveNumbers } from './live.js';
import { measurePanel } from './measure.js';
import { animateReactor } from './reactor.js';

const byId = (id) => document.getElementById(id);

if (byId('reactor')) animateReactor(byId('reactor'), byId);
if (byId('measure-form')) measurePanel(byId('measure-form'), byId);
if (byId('live')) showLiveNumbers(byId('live'), byId);
if (byId('large-check')) checkLargeFile(byId('large-check'), byId);

// How this very page came: the browser knows its protocol and its size.
const [visit] = performance.getEntriesByType('navigation');
if (visit) {
  const protocol = visit.nextHopProtocol || 'http';
  byId('server-line').textContent = `This page: ${visit.decodedBodySize} bytes over ${protocol}`;
}
document.documentElement.dataset.ready = 'true';
