// A listing as JSON: { path, entries: [{ name, kind, bytes, modified }] }.

import { isoTime } from './text.ts';
import type { ListingView, ShownEntry } from './view.ts';

/** `path` is the decoded path of the directory; it ends in a slash. */
export class JsonView implements ListingView {
  readonly type = 'application/json; charset=utf-8';
  readonly fields = [] as const;
  readonly showsReadme = false;
  readonly #path: string;
  #isFirst = true;

  constructor(path: string) {
    this.#path = path;
  }

  top(): string {
    return `{"path":${JSON.stringify(this.#path)},"entries":[`;
  }

  begin(): string {
    return '';
  }

  rows(entries: readonly ShownEntry[]): string {
    let text = '';
    for (const entry of entries) {
      text += `${this.#isFirst ? '' : ','}\n${JSON.stringify(described(entry))}`;
      this.#isFirst = false;
    }
    return text;
  }

  end(): string {
    return '\n]}\n';
  }
}

/** The bytes of a folder and a time that Date cannot have are null. */
function described({ name, isFolder, bytes, modifiedMs }: ShownEntry): object {
  const modified = isoTime(modifiedMs);
  return {
    name,
    kind: isFolder ? 'directory' : 'file',
    bytes: isFolder ? null : bytes,
    modified: modified === '' ? null : modified,
  };
}
