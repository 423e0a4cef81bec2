// Numbers of the Linux kernel's interface, with the header each comes from. They are the same on
// x64 and arm64 except where they depend on `process.arch`.

// <asm-generic/socket.h>, <linux/in.h>, <linux/tcp.h>, <bits/socket.h>
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
/** The type of every socket of the drivers. */
export const STREAM_SOCKET: number = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_ACCEPTCONN = 30;
export const IPPROTO_IP = 0;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const SHUT_WR = 1;
export const MSG_PEEK = 0x2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;

// <asm-generic/ioctls.h>, where it is called TIOCOUTQ
export const SIOCOUTQ = 0x5411;

// <asm-generic/fcntl.h>
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const FD_CLOEXEC = 1;
export const O_NONBLOCK = 0x800;

// <linux/eventpoll.h>; the struct is packed on x64 only.
export const EPOLL_CLOEXEC: number = SOCK_CLOEXEC;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET: number = 0x80000000 | 0;
/** Every socket is registered for these, once. The others are sets of them that mean the same. */
export const EVENTS_WATCHED: number = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
export const EVENTS_INPUT: number = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
export const EVENTS_ENDED: number = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
/** The connection is broken. epoll and poll report these unasked. */
export const EVENTS_BROKEN: number = EPOLLHUP | EPOLLERR;
export const EVENTS_OUTPUT: number = EPOLLOUT | EPOLLHUP | EPOLLERR;
export const EPOLL_EVENT_BYTES: number = process.arch === 'x64' ? 12 : 16;
/** Where the caller's number stands in struct epoll_event. */
export const EPOLL_DATA_OFFSET: number = process.arch === 'x64' ? 4 : 8;

/**
 * The most bytes that one send asks for. The kernel takes less than 2 GiB at once anyway, results
 * have 31 bits, and an entry of io_uring has 32 bits for the length.
 */
export const SEND_BYTES_MAX: number = 1024 * 1024 * 1024;

/** The largest of the socket addresses below (struct sockaddr_un, 110 bytes), padded. */
export const SOCKADDR_BYTES = 128;
export const SOCKADDR_UN_PATH_BYTES = 108;
