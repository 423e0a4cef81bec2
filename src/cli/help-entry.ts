// One flag in a help text: what it is called, and what it is for, in columns.

/** Wide enough for most flags; longer ones get a line of their own. */
const FLAG_COLUMNS = 30;
const LINE_COLUMNS = 96;

export function entry(usage: string, text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (FLAG_COLUMNS + line.length + 1 + word.length > LINE_COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  const name = `  ${usage}`;
  const indent = ' '.repeat(FLAG_COLUMNS);
  const first = name.length < FLAG_COLUMNS ? name.padEnd(FLAG_COLUMNS) : `${name}\n${indent}`;
  return `${first}${lines.join(`\n${indent}`)}`;
}
