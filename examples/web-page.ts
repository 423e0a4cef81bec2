// The page of the web server example: shows the streamed time, and keeps notes.

export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notes</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; --hot: light-dark(#c2410c, #ff9d5c); }
  body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; font: 1.1rem/1.6 system-ui; }
  form { display: flex; gap: .6rem; }
  input { flex: 1; min-width: 0; }
  input, button { font: inherit; padding: .4rem .8rem; border-radius: .5rem; border: 1px solid; }
  button { border-color: var(--hot); color: var(--hot); background: none; cursor: pointer; }
  li { margin: .5rem 0; overflow-wrap: anywhere; }
  li button { margin-left: .6rem; padding: 0 .5rem; font-size: .85rem; }
  #fault { color: var(--hot); }
</style>
<h1>Notes</h1>
<p>The server's clock: <time id="clock">not yet</time></p>
<form><input name="text" aria-label="Note" maxlength="200" required><button>Keep</button></form>
<p id="fault" role="alert"></p>
<ul id="notes"></ul>
<script type="module">
  const [clock, fault, list] = ['clock', 'fault', 'notes'].map((id) => document.getElementById(id));
  const form = document.querySelector('form');

  new EventSource('/api/stream').addEventListener('time', (event) => {
    clock.textContent = event.data;
  });

  async function call(method, path, body) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    fault.textContent = response.ok ? '' : await response.text();
    return response;
  }

  async function show() {
    const notes = await (await call('GET', '/api/notes')).json();
    list.replaceChildren(...notes.map((note) => {
      const item = document.createElement('li');
      const remove = document.createElement('button');
      item.textContent = note.text;
      remove.textContent = 'remove';
      remove.onclick = () => call('DELETE', '/api/notes/' + note.id).then(show);
      item.append(remove);
      return item;
    }));
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const response = await call('POST', '/api/notes', { text: form.elements.text.value });
    if (!response.ok) return;
    form.reset();
    await show();
  });
  await show();
</script>
</html>
`;
