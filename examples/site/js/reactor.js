// A reactor in slow motion: requests fly to sockets, a turning hand serves each one that is ready,
// responses fly out again. One hand does all the work, as one thread does in the server.

import { fitCanvas, readColours, watchCanvas } from './canvas.js';

const SOCKETS = 20;
const TURN_SECONDS = 3.2;
const FLIGHT_SECONDS = 0.9;
const ARRIVALS_PER_SECOND = 5;
const TWO_PI = 2 * Math.PI;

export function animateReactor(canvas, byId) {
  const loop = makeLoop();
  let colours = readColours();
  let last = 0;
  let frame = 0;
  let visible = true;
  let paused = window.matchMedia('(prefers-reduced-motion: reduce)').matches;

  function draw() {
    drawLoop(fitCanvas(canvas), loop, colours);
    byId('turns').textContent = loop.turns;
    byId('served').textContent = loop.served;
  }
  function step(now) {
    // A tab that slept must not catch up all at once.
    const seconds = Math.min(0.1, (now - last) / 1000);
    last = now;
    advance(loop, seconds);
    draw();
    frame = requestAnimationFrame(step);
  }
  function runOrRest() {
    cancelAnimationFrame(frame);
    byId('pause').textContent = paused ? 'Play' : 'Pause';
    byId('pause').setAttribute('aria-pressed', String(paused));
    if (paused || !visible) return;
    last = performance.now();
    frame = requestAnimationFrame(step);
  }

  byId('burst').addEventListener('click', () => {
    for (let socket = 0; socket < SOCKETS; socket++) arrive(loop, socket);
    draw();
  });
  byId('pause').addEventListener('click', () => {
    paused = !paused;
    runOrRest();
  });
  watchCanvas(canvas, () => {
    colours = readColours();
    draw();
  });
  new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    runOrRest();
  }).observe(canvas);
  for (let socket = 0; socket < SOCKETS; socket += 3) arrive(loop, socket);
  advance(loop, FLIGHT_SECONDS);
  draw();
}

function makeLoop() {
  return {
    angle: 0,
    turns: 0,
    served: 0,
    untilArrival: 0,
    requests: [],
    responses: [],
    waiting: new Array(SOCKETS).fill(0),
    flash: new Array(SOCKETS).fill(0),
  };
}

function arrive(loop, socket) {
  loop.requests.push({ socket, at: -0.35 * Math.random() });
}

function advance(loop, seconds) {
  loop.untilArrival -= seconds;
  if (loop.untilArrival <= 0) {
    loop.untilArrival += (0.4 + 1.2 * Math.random()) / ARRIVALS_PER_SECOND;
    arrive(loop, Math.floor(Math.random() * SOCKETS));
  }
  loop.requests = loop.requests.filter((request) => {
    request.at += seconds / FLIGHT_SECONDS;
    if (request.at < 1) return true;
    loop.waiting[request.socket]++;
    return false;
  });
  loop.responses = loop.responses.filter((response) => {
    response.at += seconds / FLIGHT_SECONDS;
    return response.at < 1;
  });
  for (let socket = 0; socket < SOCKETS; socket++) {
    loop.flash[socket] = Math.max(0, loop.flash[socket] - 1.6 * seconds);
  }
  sweep(loop, (seconds / TURN_SECONDS) * TWO_PI);
}

/** Moves the hand and serves what it passes. */
function sweep(loop, angle) {
  const pitch = TWO_PI / SOCKETS;
  const from = Math.ceil(loop.angle / pitch);
  loop.angle += angle;
  for (let step = from; step * pitch < loop.angle; step++) {
    const socket = step % SOCKETS;
    while (loop.waiting[socket] > 0) {
      loop.waiting[socket]--;
      loop.served++;
      loop.flash[socket] = 1;
      loop.responses.push({ socket, at: -0.15 * loop.waiting[socket] });
    }
  }
  if (loop.angle >= TWO_PI) {
    loop.angle -= TWO_PI;
    loop.turns++;
  }
}

function drawLoop({ context, width, height }, loop, colours) {
  const size = Math.min(width, height);
  const ring = size * 0.17;
  const orbit = size * 0.33;
  const edge = size * 0.52;
  context.clearRect(0, 0, width, height);
  context.save();
  context.translate(width / 2, height / 2);
  drawHand(context, loop, ring, orbit, colours);
  for (let socket = 0; socket < SOCKETS; socket++) {
    drawSocket(context, loop, socket, ring, orbit, edge, colours);
  }
  for (const { socket, at } of loop.requests) {
    const radius = edge + (orbit - edge) * at;
    if (at > 0) drawDot(context, place(socket, radius), size / 130, colours.cool);
  }
  for (const { socket, at } of loop.responses) {
    const radius = ring + (edge - ring) * at;
    if (at > 0) drawDot(context, place(socket, radius), size / 110, colours.hot);
  }
  context.restore();
}

function drawHand(context, loop, ring, orbit, colours) {
  const up = loop.angle - Math.PI / 2;
  const trail = context.createConicGradient(up, 0, 0);
  trail.addColorStop(0, 'transparent');
  trail.addColorStop(0.6, 'transparent');
  trail.addColorStop(1, colours.hot);
  context.globalAlpha = 0.22;
  context.fillStyle = trail;
  context.beginPath();
  context.arc(0, 0, orbit, 0, TWO_PI);
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = Math.max(2, ring / 14);
  context.strokeStyle = colours.line;
  context.beginPath();
  context.arc(0, 0, ring, 0, TWO_PI);
  context.stroke();
  context.strokeStyle = colours.hot;
  context.lineCap = 'round';
  context.beginPath();
  context.arc(0, 0, ring, up - 1.4, up);
  context.stroke();
  drawDot(context, [ring * Math.cos(up), ring * Math.sin(up)], ring / 8, colours.hot);
  context.fillStyle = colours.ink;
  context.font = `600 ${Math.round(ring / 3.4)}px "Space Grotesk", sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText('one loop', 0, 0);
}

function drawSocket(context, loop, socket, ring, orbit, edge, colours) {
  const flash = loop.flash[socket];
  const [x, y] = place(socket, orbit);
  const [outX, outY] = place(socket, edge);
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(outX, outY);
  context.stroke();
  if (flash > 0) {
    const [inX, inY] = place(socket, ring);
    context.globalAlpha = flash;
    context.lineWidth = 2;
    context.strokeStyle = colours.hot;
    context.beginPath();
    context.moveTo(inX, inY);
    context.lineTo(x, y);
    context.stroke();
    context.globalAlpha = 1;
  }
  const waiting = loop.waiting[socket];
  const colour = flash > 0.3 ? colours.hot : waiting > 0 ? colours.cool : colours.soft;
  drawDot(context, [x, y], orbit / (waiting > 0 || flash > 0.3 ? 19 : 34), colour);
}

function drawDot(context, [x, y], radius, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, TWO_PI);
  context.fill();
}

function place(socket, radius) {
  const angle = (socket / SOCKETS) * TWO_PI - Math.PI / 2;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
