// What somebody would do who had taken a daemon over: each act as plainly as it can be written. Without the sandbox
// each succeeds, or fails for a reason of its own; the tests look at both.
#define _GNU_SOURCE
#include "cvictim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

// The descriptor at which the tests pass a TCP socket: neither bound nor connected.
#define PASSED_SOCKET 3

static long result(long value) { return value < 0 ? -errno : value; }

long victim_call(long number, long a, long b, long c, long d, long e, long f) {
    return result(syscall(number, a, b, c, d, e, f));
}

int victim_in_child(void (*body)(void *), void *context) {
    int status;
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        body(context);
        _exit(0);
    }
    return waitpid(child, &status, 0) < 0 ? -errno : status;
}

// --- Programs, processes, threads ---

static long act_execve(const char *place) {
    (void)place;
    char *arguments[] = {"true", NULL}, *environment[] = {NULL};
    return result(execve("/bin/true", arguments, environment));
}

static long made_child(long pid) {
    if (pid == 0) _exit(0);
    if (pid > 0) waitpid((pid_t)pid, NULL, 0);
    return pid;
}

static long act_fork(const char *place) {
    (void)place;
    return made_child(result(fork()));
}

static long act_clone_process(const char *place) {
    (void)place;
    return made_child(result(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
}

static long act_clone3_process(const char *place) {
    (void)place;
    uint64_t arguments[11] = {[4] = SIGCHLD};
    return made_child(result(syscall(SYS_clone3, arguments, sizeof arguments)));
}

static long act_vfork(const char *place) {
    (void)place;
    return made_child(result(syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)));
}

static void *nothing(void *argument) { return argument; }

static long act_thread(const char *place) {
    (void)place;
    pthread_t thread;
    int error = pthread_create(&thread, NULL, nothing, NULL);
    if (error) return -error;
    return -pthread_join(thread, NULL);
}

static long act_abort(const char *place) {
    (void)place;
    abort();
}

static long act_kill(const char *place) { return result(kill(atoi(place), 0)); }
static long act_tgkill(const char *place) { return result(syscall(SYS_tgkill, atoi(place), atoi(place), 0)); }
static long act_pidfd(const char *place) { return result(syscall(SYS_pidfd_open, atoi(place), 0)); }

// On our own descriptor, so that it is the only thing that may be asked of: F_SETOWN and F_SETSIG signal whom we like.
static long act_fcntl_owner(const char *place) { return result(fcntl(2, F_SETOWN, atoi(place))); }

static long act_setpriority_other(const char *place) {
    return result(setpriority(PRIO_PROCESS, (id_t)atoi(place), 19));
}

static long act_ptrace(const char *place) {
    (void)place;
    return result(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static long act_process_vm_readv(const char *place) {
    char buffer[8];
    struct iovec here = {buffer, sizeof buffer}, there = {buffer, sizeof buffer};
    (void)place;
    return result(process_vm_readv(getpid(), &here, 1, &there, 1, 0));
}

static long act_dumpable(const char *place) {
    (void)place;
    return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static long act_setuid(const char *place) {
    (void)place;
    return result(syscall(SYS_setuid, getuid()));
}

static long act_personality(const char *place) {
    (void)place;
    return result(personality(READ_IMPLIES_EXEC));
}

// --- Memory that can be run ---

static long act_mmap_exec(const char *place) {
    (void)place;
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? -errno : 0;
}

static long act_mprotect_exec(const char *place) {
    (void)place;
    void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? -errno : result(mprotect(at, 4096, PROT_READ | PROT_EXEC));
}

static long act_memfd(const char *place) {
    (void)place;
    return result(memfd_create("x", 0));
}

// --- The kernel's large surfaces ---

static long act_bpf(const char *place) {
    (void)place;
    return result(syscall(SYS_bpf, 0, 0, 0));
}

static long act_io_uring(const char *place) {
    (void)place;
    char parameters[256] = {0};
    return result(syscall(SYS_io_uring_setup, 4, parameters));
}

static long act_keyctl(const char *place) {
    (void)place;
    return result(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

static long act_userfaultfd(const char *place) {
    (void)place;
    return result(syscall(SYS_userfaultfd, 1 /* of user mode only: for everybody */));
}

static long act_perf(const char *place) {
    (void)place;
    char attributes[128] = {0};
    return result(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0));
}

static long act_unshare(const char *place) {
    (void)place;
    return result(unshare(CLONE_NEWUSER));
}

static long act_mount(const char *place) {
    (void)place;
    return result(mount("none", "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static long act_chroot(const char *place) { return result(chroot(place)); }

static long act_seccomp(const char *place) {
    (void)place;
    uint32_t action = 0x7fff0000;
    return result(syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action));
}

static long act_landlock(const char *place) {
    (void)place;
    return result(syscall(444, NULL, 0, 1));
}

#if defined(__x86_64__)
static long act_i386(const char *place) {
    (void)place;
    long value = 20;  // getpid of the 32-bit table
    __asm__ volatile("int $0x80" : "+a"(value) : : "memory", "r8", "r9", "r10", "r11");
    return value;
}

static long act_x32(const char *place) {
    (void)place;
    return result(syscall(0x40000000 | SYS_getpid));
}
#endif

// --- The network ---

static long act_socket(int family, int kind) { return result(socket(family, kind, 0)); }

static long act_socket_inet(const char *place) {
    (void)place;
    return act_socket(AF_INET, SOCK_STREAM);
}
static long act_socket_inet6(const char *place) {
    (void)place;
    return act_socket(AF_INET6, SOCK_DGRAM);
}
static long act_socket_netlink(const char *place) {
    (void)place;
    return act_socket(AF_NETLINK, SOCK_RAW);
}
static long act_socket_alg(const char *place) {
    (void)place;
    return act_socket(AF_ALG, SOCK_SEQPACKET);
}
static long act_socket_packet(const char *place) {
    (void)place;
    return act_socket(AF_PACKET, SOCK_RAW);
}
static long act_socket_unix(const char *place) {
    (void)place;
    return act_socket(AF_UNIX, SOCK_STREAM);
}

static long act_connect_tcp(const char *place) {
    struct sockaddr_in to = {AF_INET, htons((uint16_t)atoi(place)), {htonl(INADDR_LOOPBACK)}, {0}};
    return result(connect(PASSED_SOCKET, (struct sockaddr *)&to, sizeof to));
}

static long act_bind_tcp(const char *place) {
    struct sockaddr_in at = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}};
    (void)place;
    return result(bind(PASSED_SOCKET, (struct sockaddr *)&at, sizeof at));
}

static long connect_unix(const char *name, int is_abstract) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path + is_abstract, name, sizeof to.sun_path - 2);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)is_abstract + strlen(name));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0 ? -errno : result(connect(fd, (struct sockaddr *)&to, length));
}

static long act_connect_unix(const char *place) { return connect_unix(place, 0); }
static long act_connect_abstract(const char *place) { return connect_unix(place, 1); }

// --- Files ---

static long act_read(const char *place) {
    char byte;
    int fd = open(place, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : result(read(fd, &byte, 1));
}

static long act_list(const char *place) {
    return result(open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static long act_write(const char *place) {
    int fd = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : result(write(fd, "x", 1));
}

static long act_unlink(const char *place) { return result(unlinkat(AT_FDCWD, place, 0)); }
static long act_symlink(const char *place) { return result(symlink("/etc/passwd", place)); }
static long act_fifo(const char *place) { return result(mkfifo(place, 0600)); }
static long act_chmod(const char *place) { return result(chmod(place, 04755)); }

// A file without a name gets one, as a source does that has arrived whole; it is moved to another directory, and read
// by way of /proc.
static long act_publish(const char *place) {
    char from[64], path[4096], moved[4096], byte;
    int fd = open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    if (write(fd, "x", 1) < 0) return -errno;
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(path, sizeof path, "%s/published", place);
    snprintf(moved, sizeof moved, "%s/sub/moved", place);
    if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0) return -errno;
    int again = open(from, O_RDONLY | O_CLOEXEC);
    if (again < 0 || read(again, &byte, 1) < 0) return -errno;
    return result(rename(path, moved));
}

static const struct {
    const char *name;
    long (*act)(const char *);
} acts[] = {
    {"abort", act_abort}, {"bind-tcp", act_bind_tcp}, {"bpf", act_bpf}, {"chmod", act_chmod}, {"chroot", act_chroot},
    {"clone-process", act_clone_process}, {"clone3-process", act_clone3_process},
    {"connect-abstract", act_connect_abstract}, {"connect-tcp", act_connect_tcp}, {"connect-unix", act_connect_unix},
    {"dumpable", act_dumpable}, {"execve", act_execve}, {"fcntl-owner", act_fcntl_owner}, {"fifo", act_fifo},
    {"fork", act_fork}, {"io-uring", act_io_uring}, {"keyctl", act_keyctl}, {"kill", act_kill},
    {"landlock", act_landlock}, {"list", act_list}, {"memfd", act_memfd}, {"mmap-exec", act_mmap_exec},
    {"mount", act_mount}, {"mprotect-exec", act_mprotect_exec}, {"perf", act_perf}, {"personality", act_personality},
    {"pidfd", act_pidfd}, {"process-vm-readv", act_process_vm_readv}, {"ptrace", act_ptrace}, {"publish", act_publish},
    {"read", act_read}, {"seccomp", act_seccomp}, {"setpriority-other", act_setpriority_other},
    {"setuid", act_setuid}, {"socket-alg", act_socket_alg}, {"socket-inet", act_socket_inet},
    {"socket-inet6", act_socket_inet6}, {"socket-netlink", act_socket_netlink}, {"socket-packet", act_socket_packet},
    {"socket-unix", act_socket_unix}, {"symlink", act_symlink}, {"tgkill", act_tgkill}, {"thread", act_thread},
    {"unlink", act_unlink}, {"unshare", act_unshare}, {"userfaultfd", act_userfaultfd}, {"vfork", act_vfork},
    {"write", act_write},
#if defined(__x86_64__)
    {"i386", act_i386}, {"x32", act_x32},
#endif
};

long victim_act(const char *name, const char *place) {
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(acts[i].name, name) == 0) return acts[i].act(place);
    }
    return -1000;
}
