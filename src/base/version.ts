// The version of the package, which package.json has as well: a test compares them.

export const VERSION = '0.1.0';
