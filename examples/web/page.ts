// The page of the web server example. All of it works by links and forms; the script makes it live.

import { FILE_BYTES_MAX, NOTE_CHARACTERS_MAX, type Note, type StoredFile } from './store.ts';

/** Lists of notes and files, which the script loads again after each change. */
export function renderLists(notes: readonly Note[], files: readonly StoredFile[]): string {
  return `<h2>Notes</h2>
${list(notes.map(noteItem), 'No notes yet.')}
<h2>Files</h2>
${list(files.map(fileItem), 'No files yet.')}`;
}

export function renderPage(notes: readonly Note[], files: readonly StoredFile[]): string {
  const megabytes = Math.round(FILE_BYTES_MAX / 1024 / 1024);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Notes and files</title>
<link rel="icon" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/app.css">
<script type="module" src="/assets/app.js"></script>
</head>
<body>
<main>
<h1>Notes and files</h1>
<p>The server's clock: <time id="clock">${new Date().toISOString()}</time></p>
<form id="note" method="post" action="/notes">
<label for="text">A note</label>
<input id="text" name="text" maxlength="${NOTE_CHARACTERS_MAX}" required autocomplete="off">
<button>Keep</button>
</form>
<form id="upload" method="post" action="/files" enctype="multipart/form-data">
<label for="file">Files, up to ${megabytes} MiB each</label>
<input id="file" name="file" type="file" multiple required>
<button>Upload</button>
<progress id="progress" max="1" value="0" aria-label="Progress of the upload" hidden></progress>
</form>
<p id="message" role="status"></p>
<div id="lists">
${renderLists(notes, files)}
</div>
</main>
</body>
</html>
`;
}

function list(items: readonly string[], empty: string): string {
  return items.length === 0 ? `<p class="empty">${empty}</p>` : `<ul>\n${items.join('\n')}\n</ul>`;
}

function noteItem({ id, text }: Note): string {
  return `<li><span>${escaped(text)}</span>${removeForm(`/notes/${id}/delete`, text)}</li>`;
}

function fileItem({ id, name, bytes }: StoredFile): string {
  const link = `<a href="/files/${id}" download>${escaped(name)}</a> <small>${size(bytes)}</small>`;
  return `<li><span>${link}</span>${removeForm(`/files/${id}/delete`, name)}</li>`;
}

function removeForm(action: string, what: string): string {
  const label = `Remove ${escaped(what)}`;
  const button = `<button aria-label="${label}">Remove</button>`;
  return `<form method="post" action="${action}">${button}</form>`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Text within HTML, and within the quotes of an attribute. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
