// fork and exec. Between the two only async-signal-safe calls are made: the parent may have other threads, and a lock
// that one of them held is held for ever in the child. It is a vfork: the child works in the parent's memory while the
// parent waits, since a copy of the page tables would cost more than all that it does there. Of what it writes only the
// report and the pid are meant to stay.
#define _GNU_SOURCE
#include "cspawn.h"

#include <clinux.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// What the child leaves in the parent's memory when it cannot become the program; stage 0: it could.
struct failure {
    int stage;
    int error;
};

__attribute__((noreturn)) static void fail(volatile struct failure *report, int stage, int error) {
    report->stage = stage;
    report->error = error;
    _exit(127);
}

// Marks everything from `first` on close-on-exec. Older kernels and stricter filters have no close_range: then one by
// one.
static int mark_close_on_exec(unsigned first) {
    if (bh_close_range(first, ~0U, 1) == 0) return 0;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur > 1048576) return -ENOSYS;  // minutes of work, and then a leak if it is not done: refuse
    for (int fd = (int)first; fd < (int)limit.rlim_cur; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) return -errno;
    }
    return 0;
}

// Puts every source at its target. First all of them are lifted above the targets, so that no dup2 overwrites a source
// that is still needed. Returns 0 or -errno.
static int place_descriptors(const struct bh_spawn_request *request) {
    int floor = 3;
    for (int i = 0; i < request->fd_count; i++) {
        if (request->fds[i].target >= floor) floor = request->fds[i].target + 1;
    }
    int lifted[64];
    for (int i = 0; i < request->fd_count; i++) {
        int source = request->fds[i].source;
        int opened = -1;
        if (source < 0) source = opened = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (source < 0) return -errno;
        lifted[i] = fcntl(source, F_DUPFD_CLOEXEC, floor);
        if (lifted[i] < 0) return -errno;
        if (opened >= 0) close(opened);
    }
    int marked = mark_close_on_exec(3);
    if (marked < 0) return marked;
    for (int i = 0; i < request->fd_count; i++) {
        if (dup2(lifted[i], request->fds[i].target) < 0) return -errno;
    }
    return 0;
}

static void write_pid(char *slot, pid_t pid) {
    char digits[20];
    int count = 0;
    do digits[count++] = (char)('0' + pid % 10);
    while ((pid /= 10) > 0);
    for (int i = 0; i < count; i++) slot[i] = digits[count - 1 - i];
    slot[count] = 0;
}

static void reset_signals(void) {
    // The bare call with the kernel's own structure, all zero (SIG_DFL, no flags): the C library refuses the signals
    // that it keeps for itself, and one of those may have been inherited as ignored, too.
    static const unsigned long initial[8];
    for (int signal = 1; signal <= 64; signal++) syscall(SYS_rt_sigaction, signal, initial, NULL, 8);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void empty_bounding_set(void) {
    // Without CAP_SETPCAP this is refused; no_new_privileges then keeps setuid programs from being of use.
    for (int capability = 0; bh_drop_bounding(capability) == 0; capability++) {
    }
}

static void take_user(const struct bh_spawn_request *request, volatile struct failure *report) {
    // While it is still allowed: what is not root never gets a capability again, not by a setuid program either.
    if (request->uid != 0) empty_bounding_set();
    // The bare system calls: the C library's wrappers would tell threads that do not exist in the child.
    if (syscall(SYS_setgroups, request->group_count, request->groups) < 0) fail(report, BH_STAGE_USER, errno);
    if (syscall(SYS_setresgid, request->gid, request->gid, request->gid) < 0) fail(report, BH_STAGE_USER, errno);
    if (syscall(SYS_setresuid, request->uid, request->uid, request->uid) < 0) fail(report, BH_STAGE_USER, errno);
}

__attribute__((noreturn)) static void become(
    const struct bh_spawn_request *request, volatile struct failure *report, pid_t parent) {
    int placed = place_descriptors(request);
    if (placed < 0) fail(report, BH_STAGE_DESCRIPTORS, -placed);
    if (request->new_session && setsid() < 0) fail(report, BH_STAGE_PRIVILEGES, errno);
    if (request->no_capabilities) empty_bounding_set();
    if (request->set_user) take_user(request, report);
    if (request->no_capabilities) {
        // Also the sets that outlive the change of user: inheritable, and ambient with it.
        bh_clear_ambient();  // a kernel without ambient capabilities has none to clear
        int cleared = bh_clear_capabilities();
        if (cleared < 0) fail(report, BH_STAGE_PRIVILEGES, -cleared);
    }
    if (request->directory && chdir(request->directory) < 0) fail(report, BH_STAGE_DIRECTORY, errno);
    if (request->death_signal) {
        // After the change of user, which would clear it.
        if (prctl(PR_SET_PDEATHSIG, request->death_signal, 0, 0, 0) < 0) fail(report, BH_STAGE_PRIVILEGES, errno);
        pid_t now = getppid();  // 0: the parent is in an outer pid namespace
        if (now != 0 && now != parent) fail(report, BH_STAGE_PARENT_GONE, ESRCH);
    }
    if (request->no_new_privileges && bh_set_no_new_privileges() < 0) fail(report, BH_STAGE_PRIVILEGES, EPERM);
    if (request->writable_count >= 0) {
        int confined = bh_confine_writes(request->writable, request->writable_count);
        if (confined < 0) fail(report, BH_STAGE_PRIVILEGES, -confined);
    }
    if (request->pid_slot) write_pid(request->pid_slot, getpid());
    reset_signals();
    execve(request->path, request->arguments, request->environment);
    fail(report, BH_STAGE_EXEC, errno);
}

pid_t bh_spawn(const struct bh_spawn_request *request, int *stage) {
    *stage = BH_STAGE_FORK;
    if (request->fd_count > 64) return -E2BIG;
    volatile struct failure report = {0, 0};
    // No handler of the parent may run in the child before its dispositions are reset.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t parent = getpid();
    pid_t child = vfork();  // returns here when the child has executed the program, or has ended
    int error = errno;
    if (child == 0) become(request, &report, parent);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child < 0) return -error;
    if (report.stage == 0) return child;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    *stage = report.stage;
    return -report.error;
}

pid_t bh_wait(pid_t pid, int block, int *code, int *signalled) {
    int status;
    pid_t found;
    do found = waitpid(pid, &status, block ? 0 : WNOHANG);
    while (found < 0 && errno == EINTR);
    if (found < 0) return -errno;
    if (found == 0) return 0;
    *signalled = WIFSIGNALED(status) ? 1 : 0;
    *code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return found;
}

int bh_set_child_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0; }
