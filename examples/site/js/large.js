// Fetches the large file as a stream, shows how far it is, and compares its SHA-256.

export function checkLargeFile(button, byId) {
  const progress = byId('large-progress');
  const result = byId('large-result');
  const sum = byId('large-sum');

  button.addEventListener('click', async () => {
    button.disabled = true;
    result.className = '';
    result.textContent = 'Fetching ...';
    sum.textContent = '-';
    try {
      const bytes = await fetchAll('large.bin', (count) => {
        progress.value = count;
      });
      const received = await sha256(bytes);
      const same = received === button.dataset.sha256;
      sum.textContent = received;
      result.className = same ? 'good' : 'bad';
      const verdict = same ? 'every bit is right' : 'NOT the same';
      result.textContent = `${bytes.length} bytes: ${verdict}.`;
    } catch (error) {
      result.className = 'bad';
      result.textContent = `Did not work: ${error.message}`;
    }
    button.disabled = false;
  });
}

async function fetchAll(file, onProgress) {
  const response = await fetch(file, { cache: 'no-store' });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const chunks = [];
  let count = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    count += value.length;
    onProgress(count);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
