// The measuring panel: fetches a file again and again and draws how long each response took.

import { fitCanvas, readColours, watchCanvas } from './canvas.js';

const WARM_UP = 5;

export function measurePanel(form, byId) {
  const canvas = byId('measure-chart');
  const result = byId('measure-result');
  const button = form.querySelector('button');
  let times = [];
  let total = 0;

  const draw = () => drawTimes(fitCanvas(canvas), times, total, readColours());
  watchCanvas(canvas, draw);
  draw();

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const wish = new FormData(form);
    const file = String(wish.get('file'));
    total = Number(wish.get('count'));
    times = [];
    button.disabled = true;
    result.className = '';
    result.textContent = `Fetching ${file} ...`;
    try {
      for (let warm = 0; warm < WARM_UP; warm++) await timeFetch(file);
      let drawnAt = 0;
      while (times.length < total) {
        times.push(await timeFetch(file));
        if (performance.now() - drawnAt > 60) {
          draw();
          drawnAt = performance.now();
        }
      }
      const words = describe(times);
      result.textContent = `${total} responses: ${words}.`;
      canvas.setAttribute('aria-label', `Chart of ${total} fetch times of ${file}: ${words}`);
    } catch (error) {
      result.className = 'bad';
      result.textContent = `Stopped after ${times.length}: ${error.message}`;
    }
    draw();
    button.disabled = false;
  });
}

async function timeFetch(file) {
  const begun = performance.now();
  const response = await fetch(file, { cache: 'no-store' });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`status ${response.status}`);
  return performance.now() - begun;
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function describe(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const say = (share) => `${quantile(sorted, share).toFixed(2)} ms`;
  return `median ${say(0.5)}, 95 of 100 within ${say(0.95)}, slowest ${say(1)}`;
}

function drawTimes({ context, width, height }, times, total, colours) {
  const left = 46;
  const bottom = height - 22;
  const top = 14;
  const sorted = [...times].sort((a, b) => a - b);
  // One slow response must not flatten all others: values above the scale are clipped and marked.
  const scaleMs = times.length > 0 ? niceAbove(quantile(sorted, 0.98) * 1.25) : 1;
  const yOf = (ms) => bottom - (bottom - top) * Math.min(1, ms / scaleMs);
  context.clearRect(0, 0, width, height);
  context.font = '12px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.lineWidth = 1;
  for (let part = 0; part <= 4; part++) {
    const ms = (scaleMs * part) / 4;
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(left, yOf(ms));
    context.lineTo(width, yOf(ms));
    context.stroke();
    context.fillStyle = colours.soft;
    context.textAlign = 'right';
    context.fillText(Number(ms.toPrecision(3)).toString(), left - 8, yOf(ms));
  }
  context.textAlign = 'left';
  context.fillText('ms per response, in their order', left, height - 6);
  if (times.length === 0) return;
  const pitch = (width - left) / total;
  for (const [index, ms] of times.entries()) {
    context.fillStyle = ms > scaleMs ? colours.hot : colours.cool;
    const thick = Math.max(1, pitch * 0.7);
    context.fillRect(left + index * pitch, yOf(ms), thick, bottom - yOf(ms));
  }
  const median = quantile(sorted, 0.5);
  context.strokeStyle = colours.hot;
  context.setLineDash([6, 5]);
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(left, yOf(median));
  context.lineTo(width, yOf(median));
  context.stroke();
  context.setLineDash([]);
}

/** The next of 1, 2, 4, 8 times a power of ten, so that quarters of it read well. */
function niceAbove(ms) {
  const power = 10 ** Math.floor(Math.log10(Math.max(ms, 0.001)));
  for (const step of [1, 2, 4, 8]) if (ms <= step * power) return step * power;
  return 10 * power;
}
