// Memory is overwritten when it is freed, in whatever process this is linked into: for the daemons through whose heap secrets pass.
// The C library's own M_PERTURB leaves out the small pieces that it keeps in a cache for each thread, and a secret is small.
#include "cwipe.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>

// glibc's own, under names that it keeps for those who stand in front of it.
void *__libc_malloc(size_t size);
void __libc_free(void *memory);

void free(void *memory) {
    if (!memory) return;
    int saved = errno;
    explicit_bzero(memory, malloc_usable_size(memory));
    __libc_free(memory);
    errno = saved;
}

// The library's realloc would give the old piece back by a way of its own.
void *realloc(void *memory, size_t size) {
    if (!memory) return __libc_malloc(size);
    if (!size) {
        free(memory);
        return NULL;
    }
    size_t old = malloc_usable_size(memory);
    if (size <= old && size >= old / 2) return memory;
    void *moved = __libc_malloc(size);
    if (!moved) return NULL;
    memcpy(moved, memory, old < size ? old : size);
    free(memory);
    return moved;
}

int bh_free_wipes(void) {
    unsigned char *memory = __libc_malloc(BH_PROBE_SIZE);
    if (!memory) return 0;
    memset(memory, 0xa5, BH_PROBE_SIZE);
    // Not seen through: what is read below is not the compiler's to reason about.
    unsigned char *volatile freed = memory;
    free(freed);
    int left = 0;
    // Behind the two words in which the library notes where a free piece belongs.
    for (int i = 16; i < BH_PROBE_SIZE; i++) left += ((volatile unsigned char *)freed)[i] == 0xa5;
    return left == 0;
}
