// Landlock, as far as the runner needs it: where a step may write. Called between fork and exec, so nothing here
// allocates.
//
// The numbers are the kernel's and never change; its header may be older than the kernel that this runs on.
#define _GNU_SOURCE
#include "cspawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    create_ruleset = 444,
    add_rule = 445,
    restrict_self = 446,
    only_the_version = 1,
    path_beneath = 1,
};

// Access to files: writing, removing and making, by the version of the interface that brought it.
#define WRITE_FILE (1ULL << 1)
#define REMOVE_AND_MAKE (0x1ffULL << 4)  // rmdir, unlink; make char, dir, reg, sock, fifo, block, sym
#define REFER (1ULL << 13)               // 2: rename and link from one directory to another
#define TRUNCATE (1ULL << 14)            // 3
#define SCOPE_ABSTRACT_SOCKETS 1ULL      // 6
#define SCOPE_SIGNALS 2ULL               // 6

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

struct beneath {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

static int allow(int ruleset, const char *directory, uint64_t files) {
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? 0 : -errno;
    struct beneath beneath = {files, fd};
    long added = syscall(add_rule, ruleset, path_beneath, &beneath, 0);
    int error = added < 0 ? -errno : 0;
    close(fd);
    return error;
}

int bh_confine_writes(char *const *directories, int count) {
    long version = syscall(create_ruleset, NULL, 0, only_the_version);
    if (version < 1) return 0;  // not in this kernel, not switched on, or refused by a filter
    struct ruleset rules = {WRITE_FILE | REMOVE_AND_MAKE, 0, 0};
    if (version >= 2) rules.files |= REFER;
    if (version >= 3) rules.files |= TRUNCATE;
    if (version >= 6) rules.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    // An older kernel takes a shorter structure only.
    size_t size = version >= 6 ? sizeof rules : sizeof rules.files;
    long ruleset = syscall(create_ruleset, &rules, size, 0);
    if (ruleset < 0) return -errno;
    int error = 0;
    for (int i = 0; i < count && error == 0; i++) error = allow((int)ruleset, directories[i], rules.files);
    if (error == 0 && syscall(restrict_self, ruleset, 0) < 0) error = -errno;
    close((int)ruleset);
    return error;
}
