/* The lower bound that the relay is compared with: one thread and one send() per client.
 *
 *     bare_loop PORT < lines
 *
 * It sends every line of standard input to every connection as one event. It reads only the first bytes of a
 * request, keeps no history and never disconnects a slow client, so it is not a complete event server.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX = 65536, READ = 65536 };

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n";
static int fds[MAX], count;

static void send_line(const char *line, int size, long number) {
    static char body[READ + 64], chunk[READ + 128];
    int body_size = sprintf(body, "id: %ld\ndata: %.*s\n\n", number, size, line);
    int chunk_size = sprintf(chunk, "%x\r\n%s\r\n", body_size, body);
    for (int i = 0; i < count; i++)
        if (send(fds[i], chunk, (size_t)chunk_size, MSG_NOSIGNAL) < 0) perror("send");
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int enabled = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &enabled, sizeof enabled);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &enabled, sizeof enabled);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return 1;
    fcntl(0, F_SETFL, O_NONBLOCK);
    int epoll = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    e.data.fd = 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &e);
    static char input[READ], request[4096];
    size_t filled = 0;
    long number = 0;
    for (;;) {
        int n = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                int client;
                while ((client = accept(listener, NULL, NULL)) >= 0) {
                    struct epoll_event c = {.events = EPOLLIN, .data.fd = client};
                    epoll_ctl(epoll, EPOLL_CTL_ADD, client, &c);
                }
            } else if (fd == 0) {
                ssize_t got = read(0, input + filled, sizeof input - filled);
                if (got == 0) return 0;
                if (got < 0) continue;
                filled += (size_t)got;
                char *at = input, *end;
                while ((end = memchr(at, '\n', filled - (size_t)(at - input)))) {
                    send_line(at, (int)(end - at), ++number);
                    at = end + 1;
                }
                filled -= (size_t)(at - input);
                memmove(input, at, filled);
            } else if (read(fd, request, sizeof request) > 0) {
                if (send(fd, head, sizeof head - 1, MSG_NOSIGNAL) < 0) perror("send");
                fds[count++] = fd;
            } else {
                close(fd); /* the client disconnected at the end of a run */
            }
        }
    }
}
