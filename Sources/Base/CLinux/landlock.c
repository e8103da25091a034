// Landlock: what a process may open, by the kernel's own numbers, since the C library has no wrappers and older headers
// lack half of them.
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

// As the newest interface that is used here has it; an older kernel is told a smaller size.
struct ruleset {
    uint64_t files, network, scopes;
};
struct __attribute__((packed)) path_rule {
    uint64_t access;
    int32_t parent;
};

int bh_landlock_version(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return version < 0 ? -errno : (int)version;
}

int bh_landlock_create(uint64_t files, uint64_t network, uint64_t scopes) {
    struct ruleset rules = {files, network, scopes};
    size_t size = scopes ? sizeof rules : network ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    long fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    return fd < 0 ? -errno : (int)fd;
}

int bh_landlock_allow(int ruleset, int path, uint64_t access) {
    struct path_rule rule = {access, path};
    return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int bh_landlock_restrict(int ruleset) {
    return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

int bh_open_place(const char *path) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
