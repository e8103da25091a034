// Memory is overwritten when it is freed, in whatever program this is linked into: for those through whose heap secrets
// pass. An executable's own free comes before that of every library, LD_PRELOAD's too. glibc's M_PERTURB would not do:
// it leaves the small pieces as they are that are kept in a cache for each thread, and a secret is small.

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
