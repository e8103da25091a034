// openat2 by the kernel's own number, since the C library has no wrapper.
#define _GNU_SOURCE
#include "chosttree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define NO_MAGIC_LINKS 0x02
#define BENEATH 0x08

struct how {
    uint64_t flags, mode, resolve;
};

static int beneath(int root, const char *path, uint64_t flags) {
    struct how how = {flags | O_CLOEXEC, 0, BENEATH | NO_MAGIC_LINKS};
    long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

int bh_tree_root(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int bh_tree_open(int root, const char *path) {
    // Without waiting: a pipe in a file's place must not hold us up.
    int fd = beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return fd;
    struct stat found;
    int error = fstat(fd, &found) < 0 ? errno : S_ISREG(found.st_mode) ? 0 : EINVAL;
    if (error) close(fd);
    return error ? -error : fd;
}

int bh_tree_names(int root, const char *path, char *room, size_t size) {
    int fd = beneath(root, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return fd;
    DIR *stream = fdopendir(fd);
    if (!stream) {
        int error = errno;
        close(fd);
        return -error;
    }
    size_t used = 0;
    struct dirent *entry;
    while (errno = 0, (entry = readdir(stream))) {
        size_t length = strlen(entry->d_name) + 1;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (length > size - used) {
            errno = EFBIG;
            break;
        }
        memcpy(room + used, entry->d_name, length);
        used += length;
    }
    int error = errno;
    closedir(stream);
    return error ? -error : (int)used;
}

int bh_tree_node(int root, const char *path, struct bh_node *node) {
    int fd = beneath(root, path, O_PATH | O_NOFOLLOW);
    if (fd < 0) return fd;
    struct stat found;
    int error = fstat(fd, &found) < 0 ? errno : S_ISCHR(found.st_mode) ? 0 : EINVAL;
    close(fd);
    if (error) return -error;
    *node = (struct bh_node){major(found.st_rdev), minor(found.st_rdev), found.st_gid, found.st_mode & 07777};
    return 0;
}

int bh_tree_read(int file, void *room, size_t size) {
    ssize_t count = pread(file, room, size, 0);
    return count < 0 ? -errno : (int)count;
}
