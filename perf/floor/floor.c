// Frozen: do not tune, figures depend on it. What the kernel costs by itself, without V8 and the
// foreign calls of the other floors: epoll in C, one thread, a fixed response, no HTTP. Every
// socket is edge-triggered and registered once.
//
//   floor PORT lines BODY_BYTES RESPONSE_BYTES           a response to every blank line
//   floor PORT REQUEST_BYTES BODY_BYTES RESPONSE_BYTES   one to so many bytes, never looked at
//
// It listens on 127.0.0.1. RESPONSE_BYTES are head and body together. Bytes that the socket does
// not take wait for room.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  BUFFER_BYTES = 131072,
  EVENTS_MAX = 1024,
  BACKLOG = 4096,
  DESCRIPTORS_MAX = 65536,
  // Of small responses so many lie one after the other, for one send.
  COPIES = 64,
  COPIED_BYTES_MAX = 4096,
};

static char input[BUFFER_BYTES];
static struct epoll_event events[EVENTS_MAX];
// By descriptor: bytes received of the next request, or bytes of "\r\n\r\n" matched; bytes to send.
static long received[DESCRIPTORS_MAX];
static long pending[DESCRIPTORS_MAX];

static char *output;
static long outputBytes;
static long requestBytes;
static long responseBytes;

static void fail(const char *problem) {
  fprintf(stderr, "floor: %s\n", problem);
  exit(1);
}

// Padded with a field, as the responses of other floors are.
static void makeResponse(long bodyBytes) {
  char head[128];
  int headBytes =
      snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\nETag: ", bodyBytes);
  long fill = responseBytes - bodyBytes - headBytes - 4;
  if (bodyBytes < 0 || fill < 1) fail("a response of so few bytes cannot be made");
  long copies = responseBytes <= COPIED_BYTES_MAX ? COPIES : 1;
  outputBytes = copies * responseBytes;
  output = malloc(outputBytes);
  if (output == NULL) fail("out of memory");
  memset(output, 'x', outputBytes);
  for (long copy = 0; copy < copies; copy++) {
    char *at = output + copy * responseBytes;
    memcpy(at, head, headBytes);
    memcpy(at + headBytes + fill, "\r\n\r\n", 4);
  }
}

static int openListener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int on = 1;
  // Accepted sockets inherit TCP_NODELAY.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0 || listen(fd, BACKLOG) < 0) {
    fail("cannot listen on the port");
  }
  return fd;
}

static void watch(int epoll, int fd, unsigned bits) {
  struct epoll_event event = {.events = bits, .data.fd = fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("cannot watch a socket");
}

static void acceptAll(int epoll, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= DESCRIPTORS_MAX) fail("too many connections");
    received[fd] = 0;
    pending[fd] = 0;
    watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET);
  }
}

// How many blank lines end in the bytes; a line may begin in the bytes before.
static long blankLines(int fd, long count) {
  long matched = received[fd];
  long lines = 0;
  for (long index = 0; index < count; index++) {
    char byte = input[index];
    if (byte == '\r') {
      matched = matched == 2 ? 3 : 1;
    } else if (byte == '\n') {
      if (matched == 3) lines++;
      matched = matched == 1 ? 2 : 0;
    } else {
      matched = 0;
    }
  }
  received[fd] = matched;
  return lines;
}

static long wholeRequests(int fd, long count) {
  received[fd] += count;
  long requests = received[fd] / requestBytes;
  received[fd] -= requests * requestBytes;
  return requests;
}

// Sends pending bytes, as far as there is room.
static void respond(int fd) {
  while (pending[fd] > 0) {
    // The first byte to send is where a response was cut, if one was.
    long cut = pending[fd] % responseBytes;
    long from = cut == 0 ? 0 : responseBytes - cut;
    long wanted = pending[fd] < outputBytes - from ? pending[fd] : outputBytes - from;
    long sent = send(fd, output + from, wanted, MSG_NOSIGNAL);
    if (sent <= 0) return;
    pending[fd] -= sent;
    if (sent < wanted) return;
  }
}

// A receive that does not fill the buffer has read everything.
static void serve(int fd) {
  for (;;) {
    long count = recv(fd, input, BUFFER_BYTES, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      close(fd);
      return;
    }
    long requests = requestBytes == 0 ? blankLines(fd, count) : wholeRequests(fd, count);
    pending[fd] += requests * responseBytes;
    if (pending[fd] > 0) respond(fd);
    if (count < BUFFER_BYTES) return;
  }
}

int main(int count, char **arguments) {
  if (count != 5) fail("usage: floor PORT lines|REQUEST_BYTES BODY_BYTES RESPONSE_BYTES");
  // It ends with the process that started it.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  requestBytes = strcmp(arguments[2], "lines") == 0 ? 0 : atol(arguments[2]);
  if (requestBytes == 0 && arguments[2][0] != 'l') fail("REQUEST_BYTES is 1 at least");
  responseBytes = atol(arguments[4]);
  makeResponse(atol(arguments[3]));
  int listener = openListener(atoi(arguments[1]));
  int epoll = epoll_create1(0);
  watch(epoll, listener, EPOLLIN);
  printf("floor in C on 127.0.0.1:%s, %ld bytes a response\n", arguments[1], responseBytes);
  fflush(stdout);
  for (;;) {
    int found = epoll_wait(epoll, events, EVENTS_MAX, -1);
    for (int index = 0; index < found; index++) {
      int fd = events[index].data.fd;
      unsigned bits = events[index].events;
      if (fd == listener) {
        acceptAll(epoll, listener);
      } else if ((bits & (EPOLLERR | EPOLLHUP)) != 0) {
        close(fd);
      } else {
        if ((bits & EPOLLOUT) != 0 && pending[fd] > 0) respond(fd);
        if ((bits & EPOLLIN) != 0) serve(fd);
      }
    }
  }
}
