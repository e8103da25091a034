// The fastest that a round trip over a Unix socket can be here: two processes, blocking read and write, no protocol at
// all. Prints nanoseconds of each round trip, a line each. Usage: pingpong COUNT BYTES
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void all(int fd, char *b, size_t n, int out) {
    while (n > 0) {
        ssize_t k = out ? write(fd, b, n) : read(fd, b, n);
        if (k <= 0) _exit(1);
        b += k, n -= (size_t)k;
    }
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    long count = atol(argv[1]), size = atol(argv[2]);
    if (count < 1 || size < 1 || size > 65536) return 64;
    static char b[65536];
    int s[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s)) return 1;
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
        close(s[0]);
        for (long i = 0; i < count; i++) all(s[1], b, (size_t)size, 0), all(s[1], b, (size_t)size, 1);
        _exit(0);
    }
    close(s[1]);
    long long *took = calloc((size_t)count, sizeof *took);
    if (!took) return 1;
    for (long i = 0; i < count; i++) {
        long long begin = now();
        all(s[0], b, (size_t)size, 1), all(s[0], b, (size_t)size, 0);
        took[i] = now() - begin;
    }
    waitpid(child, NULL, 0);
    for (long i = 0; i < count; i++) printf("%lld\n", took[i]);
    return 0;
}
