// Makes the page live: shows the server's clock and what others change, sends the forms without
// leaving the page, and shows how far an upload is.

const byId = (id) => document.getElementById(id);
const [clock, lists, message, progress] = ['clock', 'lists', 'message', 'progress'].map(byId);

const stream = new EventSource('/api/stream');
stream.addEventListener('time', (event) => {
  clock.textContent = event.data;
});
stream.addEventListener('change', () => void reload());
stream.addEventListener('error', () => {
  clock.textContent = 'connecting again';
});
addEventListener('pagehide', () => stream.close());

/** One request at a time; changes meanwhile are one more. */
let loading = null;
let isStale = false;
async function reload() {
  isStale = true;
  loading ??= (async () => {
    while (isStale) {
      isStale = false;
      const response = await fetch('/lists');
      // The server has escaped all texts in it.
      if (response.ok) lists.innerHTML = await response.text();
    }
  })().finally(() => {
    loading = null;
  });
  await loading;
}

/** Forms of the lists are new after each reload, so the page listens for all of them. */
document.addEventListener('submit', (event) => {
  const form = event.target;
  event.preventDefault();
  void (form.id === 'upload' ? upload(form) : submit(form));
});

async function submit(form) {
  const body = new URLSearchParams(new FormData(form));
  const response = await fetch(form.action, { method: 'POST', body }).catch(() => null);
  const isGood = response?.ok === true;
  message.textContent = isGood
    ? ''
    : response === null
      ? 'The server does not respond.'
      : await response.text();
  if (!isGood) return;
  form.reset();
  await reload();
}

/** fetch() reports no progress of what it sends. */
function upload(form) {
  const request = new XMLHttpRequest();
  request.open('POST', form.action);
  request.upload.addEventListener('progress', ({ lengthComputable, loaded, total }) => {
    if (lengthComputable) progress.value = loaded / total;
  });
  request.addEventListener('loadend', async () => {
    progress.hidden = true;
    const isGood = request.status === 200;
    if (isGood) form.reset();
    message.textContent = isGood ? 'Uploaded.' : request.responseText || 'The upload was cut off.';
    await reload();
  });
  progress.value = 0;
  progress.hidden = false;
  message.textContent = 'Uploading.';
  request.send(new FormData(form));
}
