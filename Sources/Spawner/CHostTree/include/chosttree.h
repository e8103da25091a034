// Reading in a tree that is not believed: nothing outside of it is ever opened, whatever its links say. Every call
// answers -errno where it fails.
#ifndef BH_HOST_TREE_H
#define BH_HOST_TREE_H

#include <stddef.h>
#include <stdint.h>

struct bh_node {
    uint32_t major, minor, gid, mode;
};

int bh_tree_root(const char *path);
// A regular file, for reading. -EXDEV: a link leads out of the tree.
int bh_tree_open(int root, const char *path);
// The names in a directory, each with a NUL behind it; the bytes that they take. -EFBIG: they do not fit.
int bh_tree_names(int root, const char *path, char *room, size_t size);
// What a character device is. It is not opened: only looked at, and not through a link.
int bh_tree_node(int root, const char *path, struct bh_node *node);
// From the beginning: the kernel's files tell anew each time that they are read there.
int bh_tree_read(int file, void *room, size_t size);

#endif
