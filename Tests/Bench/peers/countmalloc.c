// LD_PRELOAD: counts allocations between two calls of getppid() that a benchmark makes as its marks (it costs nothing
// and is called by nobody else), and prints the count at exit.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long count, begin, end;
static int marks;

void *malloc(size_t n) {
    static void *(*real)(size_t);
    if (!real) real = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return real(n);
}

pid_t getppid(void) {
    if (marks++ == 0) begin = count; else end = count;
    return 1;
}

__attribute__((destructor)) static void tell(void) { fprintf(stderr, "allocations %lu\n", end - begin); }
