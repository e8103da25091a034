/* posts PORT FILE FIRST CONNECTIONS SECONDS: the requests of FILE (each behind its length, 32 bits), from number FIRST on, each once,
   over that many connections, with the next on each as soon as the last is answered. Prints what was answered with 2xx, what otherwise,
   and the seconds: what a client costs is no part of what is measured, so it does nothing else. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct connection { int fd; size_t got; char answer[8192]; };

static const char *next, *end;
static long good, bad, under_way;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t length_at(const char *place) {
    uint32_t length;
    memcpy(&length, place, 4);
    return length;
}

static void post(struct connection *c) {
    if (next >= end) {
        fprintf(stderr, "posts: too few requests\n");
        exit(1);
    }
    uint32_t length = length_at(next);
    if (write(c->fd, next + 4, length) != (ssize_t)length) fail("write");
    next += 4 + length;
    c->got = 0;
    under_way++;
}

/* 1 when a whole answer is there. */
static int take(struct connection *c) {
    ssize_t count = read(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got);
    if (count <= 0) fail("read");
    c->got += count;
    c->answer[c->got] = 0;
    char *body = strstr(c->answer, "\r\n\r\n"), *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!body) return 0;
    if (length && length < body) {
        if (c->got < (size_t)(body + 4 - c->answer) + strtoul(length + 17, 0, 10)) return 0;
    } else if (strcmp(c->answer + c->got - 5, "0\r\n\r\n")) {
        return 0; /* In chunks, as Buildbot answers. */
    }
    if (c->answer[9] == '2') good++; else bad++;
    under_way--;
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 6) return 64;
    int file = open(argv[2], O_RDONLY), poll = epoll_create1(0), count = atoi(argv[4]);
    struct stat size;
    if (file < 0 || poll < 0 || fstat(file, &size)) fail(argv[2]);
    next = mmap(0, size.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (next == MAP_FAILED) fail("mmap");
    end = next + size.st_size;
    for (long skip = atol(argv[3]); skip > 0 && next < end; skip--) next += 4 + length_at(next);

    struct connection *all = calloc(count, sizeof *all);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < count; i++) {
        all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(all[i].fd, (struct sockaddr *)&where, sizeof where)) fail("connect");
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
    }
    double begin = now(), until = begin + atof(argv[5]);
    for (int i = 0; i < count; i++) post(&all[i]);
    while (under_way > 0) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, 30000);
        if (ready <= 0) fail("no answer");
        for (int i = 0; i < ready; i++)
            if (take(events[i].data.ptr) && now() < until) post(events[i].data.ptr);
    }
    printf("%ld\n%ld\n%f\n", good, bad, now() - begin);
    return 0;
}
