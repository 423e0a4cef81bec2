// The page of the notes: logs in, shows the notes, and follows their changes on other devices.

const element = (id) => document.getElementById(id);
const list = element('notes');
const template = element('note');
const NOT_LOADED = 'The notes cannot be loaded. Reload this page.';
/** The stream of the user who is logged in; null for none. */
let events = null;

/** Sends a request; shows what went wrong, and then returns null. */
async function call(method, path, { json, form, quiet = false } = {}) {
  if (!quiet) showProblem('');
  const headers = json === undefined ? {} : { 'Content-Type': 'application/json' };
  const body = form ?? (json === undefined ? undefined : JSON.stringify(json));
  try {
    const response = await fetch(path, { method, headers, body });
    const isJson = /json/.test(response.headers.get('Content-Type') ?? '');
    const content = isJson ? await response.json() : {};
    if (response.ok) return content;
    if (!quiet) showProblem(problemText(content, response.status));
  } catch {
    if (!quiet) showProblem('The server cannot be reached.');
  }
  return null;
}

function problemText({ title, detail, errors = [] }, status) {
  const parts = errors.map((one) => `${one.pointer.slice(2)}: ${one.detail}`);
  return parts.join('; ') || detail || title || `Error ${status}`;
}

function showProblem(text) {
  element('problem').textContent = text;
  element('problem').hidden = text === '';
}

function enter(user) {
  element('enter').hidden = user !== null;
  element('add').hidden = user === null;
  element('account').hidden = user === null;
  element('name').textContent = user?.name ?? '';
  list.replaceChildren();
  events?.close();
  events = null;
  if (user === null) return;
  follow();
  // The notes are shown whether updates work or not.
  load();
}

/** Loads the notes again after each change. */
function follow() {
  const source = new EventSource('/api/events');
  events = source;
  // "open" also after a lost connection: what was missed meanwhile is loaded then.
  source.addEventListener('open', load);
  source.addEventListener('changed', load);
  source.addEventListener('replaced', () => {
    source.close();
    showProblem('Too many pages are open: this one no longer shows changes. Reload it.');
  });
  source.addEventListener('error', () => {
    // A browser connects again by itself after a lost connection, not after a response of an error.
    if (source !== events || source.readyState !== EventSource.CLOSED) return;
    showProblem('This page cannot show changes of other devices. Reload it.');
  });
}

async function load() {
  const source = events;
  const notes = await call('GET', '/api/notes', { quiet: true });
  // The user has logged out meanwhile.
  if (source !== events) return;
  if (notes === null) return showProblem(NOT_LOADED);
  if (element('problem').textContent === NOT_LOADED) showProblem('');
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const items = notes.map((note) => show(note, known.get(String(note.id))));
  // A note that is being changed stays where it is, with its cursor.
  if (items.some((item, index) => item !== list.children[index])) list.replaceChildren(...items);
  while (list.children.length > items.length) list.lastChild.remove();
}

/** The item of a note: text that is being changed here is not replaced. */
function show(note, known) {
  const item = known ?? create(note.id);
  const text = item.querySelector('.text');
  const isChanged = item.dataset.saved !== undefined && text.value !== item.dataset.saved;
  if (!isChanged) {
    if (text.value !== note.text) text.value = note.text;
    // A text area has line ends of its own.
    item.dataset.saved = text.value;
    item.dataset.version = note.version;
  }
  item.dataset.latest = note.version;
  const files = note.attachments.map(({ id, name, bytes }) => {
    const line = document.createElement('li');
    line.className = 'file';
    const link = document.createElement('a');
    link.href = `/api/attachments/${id}`;
    link.textContent = `${name} (${Math.ceil(bytes / 1024)} KiB)`;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.textContent = 'Remove';
    remove.addEventListener('click', () => call('DELETE', link.href));
    line.append(link, remove);
    return line;
  });
  item.querySelector('.files').replaceChildren(...files);
  return item;
}

function create(id) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.id = id;
  const path = `/api/notes/${id}`;
  const text = item.querySelector('.text');
  item.querySelector('.save').addEventListener('click', async () => {
    const json = { text: text.value, version: Number(item.dataset.version) };
    const isSaved = (await call('PUT', path, { json })) !== null;
    if (isSaved) item.dataset.saved = json.text;
    await load();
    // The user has read that it was changed elsewhere: the next time it is overwritten.
    if (!isSaved) item.dataset.version = item.dataset.latest;
  });
  item.querySelector('.remove').addEventListener('click', () => call('DELETE', path));
  item.querySelector('.attach').addEventListener('change', async ({ target }) => {
    const form = new FormData();
    for (const file of target.files) form.append('file', file);
    target.value = '';
    await call('POST', `${path}/attachments`, { form });
  });
  return item;
}

element('enter').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(event.target));
  const user = await call('POST', event.submitter.value, { json: { name, password } });
  if (user === null) return;
  event.target.reset();
  enter(user);
});

element('add').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { text } = Object.fromEntries(new FormData(event.target));
  if ((await call('POST', '/api/notes', { json: { text } })) !== null) event.target.reset();
});

element('leave').addEventListener('click', async () => {
  if ((await call('DELETE', '/api/session')) !== null) enter(null);
});

enter(await call('GET', '/api/me', { quiet: true }));
