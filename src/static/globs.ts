// Patterns of file paths: `?` is one character, `*` any characters of one name, `**` any of several
// names. A pattern without a slash is compared with the name of the file in any directory.

const STAR = '*';

export interface Glob {
  /** `path` has no slash at its beginning: 'docs/page.html'. */
  matches(path: string): boolean;
}

/** Whether a text can be a pattern; a slash at its beginning is the root, and may be omitted. */
export function isGlob(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text !== '/' && !text.includes('\0');
}

/** Compiles a pattern. Its cost for a path is at most the product of both lengths. */
export function glob(pattern: string): Glob {
  const isRooted = pattern.includes('/');
  const steps = stepsOf(pattern.startsWith('/') ? pattern.slice(1) : pattern);
  return {
    matches: (path) => {
      const text = isRooted ? path : path.slice(path.lastIndexOf('/') + 1);
      return isMatch(steps, Array.from(text));
    },
  };
}

/** A character, `?`, `*`, `**`, or several names with the slash after them. */
type Step =
  | { readonly kind: 'one'; readonly character: string }
  | { readonly kind: 'any' | 'name' | 'path' | 'folders' };

function stepsOf(pattern: string): readonly Step[] {
  const steps: Step[] = [];
  const characters = Array.from(pattern);
  let at = 0;
  while (at < characters.length) {
    const character = characters[at];
    at += 1;
    if (character === '?') steps.push({ kind: 'any' });
    else if (character !== STAR) steps.push({ kind: 'one', character });
    else if (characters[at] !== STAR) steps.push({ kind: 'name' });
    else {
      const begins = at === 1 || characters[at - 2] === '/';
      while (characters[at] === STAR) at += 1;
      // `a/**/b` is also `a/b`: the names and their last slash may be absent.
      const isFolders = begins && characters[at] === '/';
      if (isFolders) at += 1;
      if (!isFolders) steps.push({ kind: 'path' });
      else if (steps.at(-1)?.kind !== 'folders') steps.push({ kind: 'folders' });
    }
  }
  return steps;
}

/**
 * Follows all ways through the pattern at once, character by character, so that no pattern takes
 * exponential time. `reached[n]`: the text so far matches the first n steps.
 */
function isMatch(steps: readonly Step[], text: readonly string[]): boolean {
  let reached = new Array<boolean>(steps.length + 1).fill(false);
  enter(steps, reached, 0);
  for (const character of text) {
    const next = new Array<boolean>(steps.length + 1).fill(false);
    for (let index = 0; index < steps.length; index++) {
      if (!reached[index]) continue;
      const step = steps[index];
      const isSlash = character === '/';
      if (step.kind === 'one' && step.character === character) enter(steps, next, index + 1);
      else if (step.kind === 'any' && !isSlash) enter(steps, next, index + 1);
      else if (step.kind === 'name' && !isSlash) enter(steps, next, index);
      else if (step.kind === 'path') enter(steps, next, index);
      else if (step.kind === 'folders') {
        next[index] = true;
        if (isSlash) enter(steps, next, index + 1);
      }
    }
    reached = next;
  }
  return reached[steps.length];
}

/** Reaches a step, and those behind it when it may match nothing. */
function enter(steps: readonly Step[], reached: boolean[], from: number): void {
  let index = from;
  reached[index] = true;
  while (index < steps.length && steps[index].kind !== 'one' && steps[index].kind !== 'any') {
    index += 1;
    reached[index] = true;
  }
}
