// What Swift cannot say of the Linux interface: variadic calls, CMSG macros, packed structures, and the code that runs
// between fork and exec. Called by Posix, Sandbox, Daemon and RunnerCore only.
//
// Every function here returns 0 or a count, or a negative errno; none of them prints, allocates or keeps state.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The most descriptors that one message may bring. A sender that attaches more gets its message cut (MSG_CTRUNC).
#define BH_FDS_PER_MESSAGE 16

// Open flags whose macros are too involved for the importer.
extern const int bh_o_tmpfile;
extern const int bh_o_path;
extern const int bh_o_noatime;

/// pipe2. `ends[0]` reads, `ends[1]` writes; close-on-exec.
int bh_pipe(int ends[2], int non_blocking);
/// Bytes that an ordinary user may still write to the file system of `path`, or -errno.
int64_t bh_free_bytes(const char *path);

// --- Messages with descriptors (SCM_RIGHTS) ---

/// Sends up to `size` bytes; `fds` ride on the first byte. Never raises SIGPIPE. Bytes sent, or -errno.
ssize_t bh_send(int socket, const void *bytes, size_t size, const int *fds, int fd_count);

/// Receives up to `size` bytes and up to `fd_room` descriptors, all close-on-exec.
/// `*truncated` is 1 if the kernel cut the descriptors: those that came are still returned, for the caller to close.
ssize_t bh_receive(int socket, void *bytes, size_t size, int *fds, int fd_room, int *fd_count, int *truncated);

/// Who connected (SO_PEERCRED): the process that called connect or socketpair, as it was then.
int bh_peer_credentials(int socket, int32_t *pid, uint32_t *uid, uint32_t *gid);

/// The next connection of a listener, close-on-exec and non-blocking, or -errno.
int bh_accept(int listener);

// --- epoll and what wakes it ---

/// A counter that another thread raises to wake a loop; close-on-exec, non-blocking.
int bh_eventfd(void);
void bh_raise(int eventfd);
void bh_lower(int eventfd);

int bh_epoll_create(void);
/// operation: 1 add, 2 delete, 3 modify (EPOLL_CTL_*).
int bh_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t key);
/// Waits at most `timeout_ms` (-1 for ever); fills `keys` and `events`. The count, or -errno.
int bh_epoll_wait(int epoll, uint64_t *keys, uint32_t *events, int room, int timeout_ms);

// --- Signals ---

/// Blocks `signals` in this thread and makes a descriptor that reports them (close-on-exec, non-blocking).
int bh_signalfd(const int *signals, int count);
/// The number of the next signal, 0 if there is none, or -errno.
int bh_read_signal(int fd);
/// Blocks (1) or unblocks (0) `signals` in this thread.
int bh_mask_signals(const int *signals, int count, int block);
/// Sets a signal to be ignored (1) or to its default (0).
int bh_ignore_signal(int signal, int ignore);

// --- Processes ---

// One descriptor of the child: `source` of the parent becomes `target` in the child; a source of -1 is /dev/null.
struct bh_fd_mapping {
    int source;
    int target;
};

struct bh_spawn_request {
    const char *path;           // absolute; no search along PATH
    char *const *arguments;     // ends with NULL
    char *const *environment;   // ends with NULL; exactly what the child sees
    const char *directory;      // NULL: the parent's
    const struct bh_fd_mapping *fds;
    int fd_count;
    int set_user;               // 1: take groups, gid and uid, real, effective and saved; no bounding set unless root
    uint32_t uid;
    uint32_t gid;
    const uint32_t *groups;
    int group_count;
    int new_session;            // setsid
    int new_group;              // setpgid(0, 0)
    int death_signal;           // 0: none. Sent when the *thread* that spawned ends: spawn from one that stays.
    int no_new_privileges;
    char *pid_slot;             // NULL, or room for 20 digits inside `environment`, where the child writes its own pid
};

// Where in the child it went wrong.
enum bh_spawn_stage {
    BH_STAGE_FORK = 1,
    BH_STAGE_DESCRIPTORS = 2,
    BH_STAGE_USER = 3,
    BH_STAGE_DIRECTORY = 4,
    BH_STAGE_PRIVILEGES = 5,
    BH_STAGE_EXEC = 6,
    BH_STAGE_PARENT_GONE = 7,
};

/// fork + exec. Returns the child's pid once it has executed the program; -errno, with `*stage`, if it could not (the child is
/// reaped then).
pid_t bh_spawn(const struct bh_spawn_request *request, int *stage);

/// waitpid. 0: none has changed. `*code` is an exit status, or a signal's number with `*signalled` 1.
pid_t bh_wait(pid_t pid, int block, int *code, int *signalled);

// --- Confinement ---

/// close_range(2) without a wrapper of the C library, for ranges of any kernel that has it.
int bh_close_range(unsigned first, unsigned last, int only_mark_close_on_exec);
/// Real, effective and saved ids and the supplementary groups, of all threads.
int bh_become_user(uint32_t uid, uint32_t gid, const uint32_t *groups, int group_count);
/// No core file; at most `open_files` descriptors, soft and hard, or fewer if the hard limit is lower.
int bh_set_limits(uint64_t open_files);
int bh_set_no_new_privileges(void);
int bh_set_not_dumpable(void);
int bh_set_child_subreaper(void);
int bh_set_death_signal(int signal);
/// Removes one capability from the bounding set. -EINVAL: the kernel has no such capability.
int bh_drop_bounding(int capability);
/// 1, 0, or -EINVAL: the kernel has no such capability.
int bh_has_bounding(int capability);
int bh_clear_ambient(void);
/// Empties the effective, permitted and inheritable sets of this thread.
int bh_clear_capabilities(void);
int bh_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);

// --- Randomness and text ---

/// Fills as much as the kernel gives in one call; the count, or -errno.
ssize_t bh_random(void *bytes, size_t size);

/// What an errno means, from a table that needs neither locale nor lock.
const char *bh_error_text(int error);
const char *bh_error_name(int error);
