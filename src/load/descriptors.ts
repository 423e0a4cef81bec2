// Whether there are descriptors for all connections. Node raises its soft limit to the hard one
// when it starts, so what is short then is short for good, and is better said before a load than
// seen in it as connections that never came about.

/** What a process of Node holds besides connections, with room for what is opened on the way. */
const OTHERS = 64;

/** What is wrong with so many connections, in one line, or ''. */
export function descriptorProblem(connections: number, most: number): string {
  const wanted = connections + OTHERS;
  if (wanted <= most) return '';
  return (
    `${connections} connections need ${wanted} open files, and this process may have ${most}: ` +
    `ulimit -n ${wanted} in this shell raises that (as root, or LimitNOFILE= of a service), ` +
    `or ask for ${Math.max(1, most - OTHERS)} connections at most`
  );
}
