// What is the same in all measurements: the cores, the connections, the drivers by name.

/** Of servers and floors, one at a time. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;
/** Unless a scenario says otherwise. */
export const CONNECTIONS = 64;

export const LINUX_DRIVERS: readonly string[] = ['uring', 'epoll'];
export const DRIVERS: readonly string[] = ['uring', 'epoll', 'net'];
/** With 'auto', which lets the server choose. */
export const DRIVER_CHOICES: readonly string[] = ['auto', ...DRIVERS];
