/* A load client for event servers: it opens many streams, publishes events at a constant rate, and measures the
 * latency of every delivery. It has one thread and one epoll instance. bench/relay/run.py starts it and reads its
 * output:
 *
 *     load PORT PATH CONNECTIONS PUBLISH EVENTS PER_SECOND
 *
 * PUBLISH is the number of a file descriptor, to which events are written as lines, or a path, to which they are
 * posted. The program opens the streams, prints "connected SECONDS", waits for a line on standard input, publishes
 * the events, and prints "done" and its results as JSON. It then waits for another line before it exits.
 * An event is a job's JSON of about 300 bytes with the time (CLOCK_MONOTONIC, ns) at which it was published.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_FLIGHT = 128, MARK = 4 + 19 /* "t": and a 1 followed by 18 digits */, READ = 65536, TIMEOUT = 20 };

typedef struct {
    int fd, open, events, kept;
    char tail[MARK];
} Client;

static struct sockaddr_in server;
static Client *clients;
static int epoll, count, opened;
static uint32_t *latencies; /* microseconds */
static size_t received;
static char *unsent;
static size_t unsent_start, unsent_end;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_stream(int index) {
    Client *c = &clients[index];
    int enabled = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) fail("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &enabled, sizeof enabled);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) fail("connect");
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)index};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) < 0) fail("epoll_ctl");
}

static void record_latencies(Client *c, char *data, size_t size) {
    char *end = data + size, *at = data;
    uint64_t now = now_ns();
    for (;;) {
        char *mark = memmem(at, (size_t)(end - at), "\"t\":", 4);
        if (!mark || end - mark < MARK) break;
        uint64_t sent = 0;
        for (int i = 5; i < MARK; i++) sent = sent * 10 + (uint64_t)(mark[i] - '0');
        latencies[received++] = (uint32_t)((now - sent) / 1000);
        c->events++;
        at = mark + MARK;
    }
    size_t remaining = (size_t)(end - at);
    c->kept = (int)(remaining < MARK - 1 ? remaining : MARK - 1);
    memmove(c->tail, end - c->kept, (size_t)c->kept);
}

static void on_readable(Client *c) {
    static char buffer[READ + MARK];
    memcpy(buffer, c->tail, (size_t)c->kept);
    ssize_t n = read(c->fd, buffer + c->kept, READ);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        errno = n ? errno : ECONNRESET;
        fail("a stream ended");
    }
    if (!c->open) {
        if (n > 12 && memcmp(buffer + c->kept, "HTTP/1.1 200", 12)) fail("the status is not 200");
        c->open = 1;
        opened++;
    }
    record_latencies(c, buffer, (size_t)c->kept + (size_t)n);
}

static void publish(int fd) {
    while (unsent_start < unsent_end) {
        ssize_t n = write(fd, unsent + unsent_start, unsent_end - unsent_start);
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) fail("publish");
        unsent_start += (size_t)n;
    }
    unsent_start = unsent_end = 0;
}

static void add_event(int number, const char *path) {
    char job[512];
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    long long ms = (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    int size = snprintf(job, sizeof job,
        "{\"id\":\"00000000-0000-4000-8000-%012d\",\"t\":1%018llu,\"status\":\"pending\",\"query\":\"lakes at dawn\","
        "\"result\":null,\"photo\":null,\"error\":null,\"deferred_until\":null,\"created_at\":%lld,"
        "\"updated_at\":%lld,\"version\":1,\"padding\":\"%032d\"}",
        number, (unsigned long long)now_ns(), ms, ms, number);
    char *end = unsent + unsent_end;
    if (path)
        unsent_end += (size_t)sprintf(
            end, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, size, job);
    else
        unsent_end += (size_t)sprintf(end, "%s\n", job);
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    count = atoi(argv[3]);
    int events = atoi(argv[5]), is_post = argv[4][0] == '/', publisher;
    double per_second = atof(argv[6]);
    char request[256], line[16];
    snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n", argv[2]);
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    clients = calloc((size_t)count, sizeof *clients);
    size_t expected = (size_t)count * (size_t)events;
    latencies = calloc(expected + 1, sizeof *latencies);
    unsent = malloc((size_t)events * 512 + 1024);
    epoll = epoll_create1(0);
    struct epoll_event ready[256];

    uint64_t start = now_ns();
    int begun = 0;
    while (opened < count) {
        while (begun < count && begun - opened < IN_FLIGHT) open_stream(begun++);
        int n = epoll_wait(epoll, ready, 256, 1000 * TIMEOUT);
        if (n <= 0) fail("the streams did not open in time");
        for (int i = 0; i < n; i++) {
            Client *c = &clients[ready[i].data.u32];
            if (ready[i].events & EPOLLOUT) {
                struct epoll_event e = {.events = EPOLLIN, .data.u32 = ready[i].data.u32};
                if (write(c->fd, request, strlen(request)) < 0) fail("request");
                epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &e);
            }
            if (ready[i].events & EPOLLIN) on_readable(c);
        }
    }
    printf("connected %.6f\n", (double)(now_ns() - start) / 1e9);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;

    if (is_post) {
        publisher = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(publisher, (struct sockaddr *)&server, sizeof server) < 0) fail("publisher");
        fcntl(publisher, F_SETFL, O_NONBLOCK);
    } else {
        publisher = atoi(argv[4]);
        fcntl(publisher, F_SETFL, O_NONBLOCK);
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = UINT32_MAX};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, publisher, &e) < 0) fail("epoll_ctl publisher");
    start = now_ns();
    int published = 0;
    uint64_t last = start;
    while (received < expected && now_ns() - last < (uint64_t)TIMEOUT * 1000000000u) {
        while (published < events && (double)(now_ns() - start) >= 1e9 * published / per_second) {
            add_event(published++, is_post ? argv[4] : NULL);
            publish(publisher);
        }
        double wait = published < events ? 1e3 * published / per_second - (double)(now_ns() - start) / 1e6 : 1000;
        int n = epoll_wait(epoll, ready, 256, wait < 0 ? 0 : (int)wait);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.u32 == UINT32_MAX) {
                char answer[READ];
                if (is_post)
                    while (read(publisher, answer, sizeof answer) > 0) {}
                publish(publisher);
            } else {
                size_t before = received;
                on_readable(&clients[ready[i].data.u32]);
                if (received > before) last = now_ns();
            }
        }
    }
    int incomplete = 0;
    for (int i = 0; i < count; i++) incomplete += clients[i].events != events;
    double seconds = (double)(now_ns() - start) / 1e9;
    qsort(latencies, received, sizeof *latencies, compare);
    printf("done {\"expected\": %zu, \"received\": %zu, \"streams_incomplete\": %d, \"seconds\": %.6f, "
           "\"p50_us\": %u, \"p99_us\": %u, \"max_us\": %u}\n",
        expected, received, incomplete, seconds, latencies[received / 2], latencies[received * 99 / 100],
        latencies[received ? received - 1 : 0]);
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 0; /* keep the streams open until the caller has measured */
    return 0;
}
