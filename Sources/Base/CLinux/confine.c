// Giving privileges away, signals, and the text of errors.
#define _GNU_SOURCE
#include "clinux.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_CLOEXEC_FLAG (1U << 2)

int bh_close_range(unsigned first, unsigned last, int only_mark_close_on_exec) {
    unsigned flags = only_mark_close_on_exec ? CLOSE_RANGE_CLOEXEC_FLAG : 0;
    return syscall(SYS_close_range, first, last, flags) < 0 ? -errno : 0;
}

int bh_thread_count(void) {
    DIR *threads = opendir("/proc/self/task");
    if (!threads) return -errno;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(threads));) count += entry->d_name[0] != '.';
    closedir(threads);
    return count;
}

int bh_set_limits(uint64_t open_files) {
    struct rlimit none = {0, 0}, files;
    if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0) return -errno;
    if (open_files < files.rlim_max) files.rlim_max = open_files;
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) < 0 ? -errno : 0;
}

int bh_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0; }

int bh_set_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0; }

int bh_drop_bounding(int capability) { return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 ? -errno : 0; }

int bh_clear_ambient(void) {
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ? -errno : 0;
}

int bh_clear_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int bh_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct held[2];
    if (syscall(SYS_capget, &header, held) < 0) return -errno;
    *effective = held[0].effective | (uint64_t)held[1].effective << 32;
    *permitted = held[0].permitted | (uint64_t)held[1].permitted << 32;
    *inheritable = held[0].inheritable | (uint64_t)held[1].inheritable << 32;
    return 0;
}

void bh_overwrite_freed(void) { mallopt(M_PERTURB, 1); }

static void make_set(sigset_t *set, const int *signals, int count) {
    sigemptyset(set);
    for (int i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int bh_block_signals(const int *signals, int count) {
    sigset_t set;
    make_set(&set, signals, count);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int bh_signalfd(const int *signals, int count) {
    int masked = bh_block_signals(signals, count);
    if (masked < 0) return masked;
    sigset_t set;
    make_set(&set, signals, count);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int bh_read_signal(int fd, int *outside) {
    struct signalfd_siginfo info;
    ssize_t count;
    do count = read(fd, &info, sizeof info);
    while (count < 0 && errno == EINTR);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    if (count != sizeof info) return -EIO;
    // sigqueue can write any sender, but cannot say SI_USER, unless it finds no room for its words: then the kernel says so
    // for it. A step that has our user can see to that, so nobody tries a job again by this word.
    *outside = info.ssi_code == SI_USER && info.ssi_pid == 0;
    return (int)info.ssi_signo;
}

int bh_ignore_signal(int signal, int ignore) {
    struct sigaction action = {.sa_handler = ignore ? SIG_IGN : SIG_DFL};
    return sigaction(signal, &action, NULL) < 0 ? -errno : 0;
}

ssize_t bh_random(void *bytes, size_t size) {
    ssize_t count = getrandom(bytes, size, 0);
    return count < 0 ? -errno : count;
}

const char *bh_error_text(int error) {
    const char *text = strerrordesc_np(error);
    return text ? text : "unknown error";
}

const char *bh_error_name(int error) {
    const char *name = strerrorname_np(error);
    return name ? name : "?";
}
