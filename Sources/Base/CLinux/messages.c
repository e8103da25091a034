// Bytes and descriptors over Unix sockets, and epoll. The other end may be hostile: what it sends is counted, never
// trusted.
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

const int bh_o_tmpfile = O_TMPFILE;
const int bh_o_path = O_PATH;

int bh_memory_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int bh_pipe(int ends[2], int non_blocking) {
    return pipe2(ends, O_CLOEXEC | (non_blocking ? O_NONBLOCK : 0)) < 0 ? -errno : 0;
}

ssize_t bh_send(int socket, const void *bytes, size_t size, const int *fds, int fd_count) {
    ssize_t sent;
    if (fd_count == 0) {
        do sent = send(socket, bytes, size, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent < 0 ? -errno : sent;
    }
    if (fd_count < 0 || fd_count > BH_FDS_PER_MESSAGE || size == 0) return -EINVAL;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * BH_FDS_PER_MESSAGE)];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)fd_count);
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t bh_receive(int socket, void *bytes, size_t size, int *fds, int fd_room, int *fd_count, int *truncated) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * BH_FDS_PER_MESSAGE)];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    *fd_count = 0;
    *truncated = 0;
    ssize_t count;
    do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < arrived; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (*fd_count < fd_room) {
                fds[(*fd_count)++] = fd;
            } else {
                close(fd);  // more than the caller has room for: nobody else knows of it
                *truncated = 1;
            }
        }
    }
    if (message.msg_flags & MSG_CTRUNC) *truncated = 1;
    return count;
}

int bh_peer_credentials(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) return -errno;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int bh_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int bh_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void bh_raise(int fd) { eventfd_write(fd, 1); }

void bh_lower(int fd) {
    eventfd_t count;
    eventfd_read(fd, &count);
}

int bh_directory_entries(int directory, void *buffer, size_t size) {
    long count = syscall(SYS_getdents64, directory, buffer, size);
    return count < 0 ? -errno : (int)count;
}

int bh_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int bh_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data = {.u64 = key}};
    return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

int bh_epoll_wait(int epoll, uint64_t *keys, uint32_t *events, int room, int timeout_ms) {
    struct epoll_event ready[256];
    if (room > 256) room = 256;
    int count = epoll_wait(epoll, ready, room, timeout_ms);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        keys[i] = ready[i].data.u64;
        events[i] = ready[i].events;
    }
    return count;
}
