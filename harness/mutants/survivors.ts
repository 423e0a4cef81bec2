// Mutants made by rule that no run can tell from the original, each with the reason.

export const SURVIVORS: Readonly<Record<string, string>> = {};
