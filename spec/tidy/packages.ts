// Checks of package-lock.json: it must install on every system, whatever system wrote it.

export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** npm ci rejects a lock without the parts of a package for other systems. */
export function missingParts(lock: Lock): readonly string[] {
  const problems: string[] = [];
  for (const [path, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
    const below = path === '' ? '' : `${path}/`;
    for (const name of Object.keys(optionalDependencies)) {
      const places = [`${below}node_modules/${name}`, `node_modules/${name}`];
      if (places.some((place) => lock.packages[place] !== undefined)) continue;
      problems.push(`package-lock.json: ${name} of ${path || 'the project'} is missing`);
    }
  }
  return problems;
}

/** The registry is the choice of the user. */
export function places(lock: Lock): readonly string[] {
  return Object.entries(lock.packages)
    .filter(([, { resolved }]) => resolved !== undefined)
    .map(([path]) => `package-lock.json: ${path} names a host`);
}
