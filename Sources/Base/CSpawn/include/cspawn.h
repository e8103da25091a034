// fork and exec, and what only a process that starts others needs. Called by Processes and RunnerCore only; what guards
// something does not link it.
//
// Every function with a result returns 0 or a pid, or a negative errno.
#pragma once

#include <stdint.h>
#include <sys/types.h>

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
    int death_signal;           // 0: none. Sent when the *thread* that spawned ends: spawn from one that stays.
    int no_new_privileges;
    int no_capabilities;        // 1: all sets are emptied, and the bounding set as far as the parent may
    char *const *writable;      // directories below which the program may write (Landlock); nowhere else
    int writable_count;         // -1: no such limit
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

/// fork + exec. Returns the child's pid once it has executed the program; -errno, with `*stage`, if it could not (the
/// child is reaped then).
pid_t bh_spawn(const struct bh_spawn_request *request, int *stage);

/// waitpid. 0: none has changed. `*code` is an exit status, or a signal's number with `*signalled` 1.
pid_t bh_wait(pid_t pid, int block, int *code, int *signalled);

/// Writing (making, removing, renaming, truncating, and opening to write) is confined to what lies below these
/// directories, and signals to processes that are confined with this one. Reading stays as it is. For this thread and
/// all that it starts, for good. Directories that are not there are left out. 0, also where the kernel has no Landlock
/// or does not let us use it; -errno.
int bh_confine_writes(char *const *directories, int count);

/// Gives this thread another user in the eyes of file systems only: signals and all else stay. 0, or -errno with
/// nothing changed.
int bh_set_file_user(uint32_t uid, uint32_t gid);

/// Gives this thread another effective user; the real and the saved one stay, and so does the way back. 0 or -errno.
int bh_set_effective_user(uint32_t uid);

enum bh_ipc_kind { BH_IPC_MEMORY, BH_IPC_MESSAGES, BH_IPC_SEMAPHORES };

/// Removes a System V object; its owner or its maker may. 0 or -errno.
int bh_remove_ipc(int kind, int id);

/// Overwrites the arguments of this process, which everybody can read in /proc.
void bh_hide_arguments(void);

/// Orphans of our descendants become our children.
int bh_set_child_subreaper(void);
