// What a process that starts others does to itself.
#define _GNU_SOURCE
#include "cspawn.h"

#include <clinux.h>
#include <errno.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

int bh_set_file_user(uint32_t uid, uint32_t gid) {
    // Neither call reports a failure: a second one with an id that is nobody's changes nothing and says what holds.
    int old_group = setfsgid(gid);
    if ((uint32_t)setfsgid((gid_t)-1) != gid) return -EPERM;
    setfsuid(uid);
    if ((uint32_t)setfsuid((uid_t)-1) != uid) {
        setfsgid((gid_t)old_group);
        return -EPERM;
    }
    // The kernel sets this flag anew, to what the host says, when ids change.
    return bh_set_not_dumpable();
}

int bh_set_effective_user(uint32_t uid) {
    if (syscall(SYS_setresuid, -1, uid, -1) < 0) return -errno;
    // As above.
    return bh_set_not_dumpable();
}

int bh_remove_ipc(int kind, int id) {
    int result = -1;
    errno = EINVAL;
    if (kind == BH_IPC_MEMORY) result = shmctl(id, IPC_RMID, NULL);
    if (kind == BH_IPC_MESSAGES) result = msgctl(id, IPC_RMID, NULL);
    if (kind == BH_IPC_SEMAPHORES) result = semctl(id, 0, IPC_RMID);
    return result < 0 ? -errno : 0;
}

static int argument_count;
static char **arguments;

// The C library hands the arguments to constructors, too; nothing else gives their own memory, which /proc shows, to a
// library.
__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
    argument_count = count;
    arguments = vector;
}

void bh_hide_arguments(void) {
    for (int i = 1; i < argument_count; i++) memset(arguments[i], 0, strlen(arguments[i]));
}
