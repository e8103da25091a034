// What Swift cannot say of the Linux interface: variadic calls, CMSG macros, packed structures. Called by the modules
// of Base and by RunnerCore only.
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

/// pipe2. `ends[0]` reads, `ends[1]` writes; close-on-exec.
int bh_pipe(int ends[2], int non_blocking);

/// memfd_create, close-on-exec. A descriptor, or -errno.
int bh_memory_file(const char *name);

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

/// getdents64 on an open directory: the bytes of `buffer` that were filled, 0 at its end, or -errno. The C library's way,
/// fdopendir, sets flags of the descriptor, for which a daemon would need a permission more.
int bh_directory_entries(int directory, void *buffer, size_t size);

int bh_epoll_create(void);
/// operation: 1 add, 2 delete, 3 modify (EPOLL_CTL_*).
int bh_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t key);
/// Waits at most `timeout_ms` (-1 for ever); fills `keys` and `events`. The count, or -errno.
int bh_epoll_wait(int epoll, uint64_t *keys, uint32_t *events, int room, int timeout_ms);

// --- Signals ---

/// Blocks `signals` in this thread and makes a descriptor that reports them (close-on-exec, non-blocking).
int bh_signalfd(const int *signals, int count);
/// The number of the next signal, 0 if there is none, or -errno. `outside`: 1 if kill(2) sent it from a process that
/// this pid namespace does not have.
int bh_read_signal(int fd, int *outside);
/// Blocks `signals` in this thread.
int bh_block_signals(const int *signals, int count);
/// Sets a signal to be ignored (1) or to its default (0).
int bh_ignore_signal(int signal, int ignore);

// --- Confinement ---

/// How many threads this process has, or -errno.
int bh_thread_count(void);
/// close_range(2) without a wrapper of the C library, for ranges of any kernel that has it.
int bh_close_range(unsigned first, unsigned last, int only_mark_close_on_exec);
/// No core file; at most `open_files` descriptors, soft and hard, or fewer if the hard limit is lower.
int bh_set_limits(uint64_t open_files);
int bh_set_no_new_privileges(void);
int bh_set_not_dumpable(void);
/// Removes one capability from the bounding set. -EINVAL: the kernel has no such capability.
int bh_drop_bounding(int capability);
int bh_clear_ambient(void);
/// Empties the effective, permitted and inheritable sets of this thread.
int bh_clear_capabilities(void);
int bh_get_capabilities(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);

/// Memory is overwritten when it is freed, so that what lay there is not found later. Once, first thing.
void bh_overwrite_freed(void);

// --- Landlock ---

/// The version of the kernel's interface, from 1; -ENOSYS: not built in, -EOPNOTSUPP: not switched on.
int bh_landlock_version(void);
/// A ruleset that governs these accesses (LANDLOCK_ACCESS_FS_*, LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_*); its
/// descriptor.
int bh_landlock_create(uint64_t files, uint64_t network, uint64_t scopes);
/// Allows `access` at `path` (a descriptor) and below it.
int bh_landlock_allow(int ruleset, int path, uint64_t access);
/// From here on, this thread and what it starts have what the ruleset allows. Needs no-new-privileges.
int bh_landlock_restrict(int ruleset);
/// A descriptor that stands for a file or directory without opening it.
int bh_open_place(const char *path);

// --- Violations of a system call profile, for diagnosis ---

// Numbers of calls are below it, on every architecture.
#define BH_CALL_NAMES 512
/// The text that `bh_explain_traps` has for a call; kept, not copied.
void bh_name_call(int number, const char *name);
/// SIGSYS makes the process say which call it was, and end with status 159.
int bh_explain_traps(const char *profile);

// --- Randomness and text ---

/// Fills as much as the kernel gives in one call; the count, or -errno.
ssize_t bh_random(void *bytes, size_t size);

/// What an errno means, from a table that needs neither locale nor lock.
const char *bh_error_text(int error);
const char *bh_error_name(int error);
