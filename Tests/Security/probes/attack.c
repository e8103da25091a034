/* What a hostile job tries, as a static program that the job brings along; and what each try came to, a line each.
 *   look PID WORD       every way into another process; WORD is what lies in its environment
 *   plant WORD, find WORD   traces for the next job, and the search for them
 *   stay WORD           processes that do not want to end with their step
 *   reach ADDRESS PORT...   TCP, and a datagram, to each; the interfaces; sockets that carry no port
 *   fork N, open N, fill PATH N, inodes PATH N, take N, takes P N
 *                       bombs of a known size: N processes, files, MiB, files, MiB, N MiB in each of P processes
 * A line is `WHAT reached`, `WHAT found` (the word was read), `WHAT denied ERRNO` or `WHAT none`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <net/if.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say(const char *what, int reached) {
    if (reached) printf("%s reached\n", what);
    else printf("%s denied %s\n", what, strerrorname_np(errno));
    fflush(stdout);
}

static void saw(const char *what, int found) { printf("%s %s\n", what, found ? "found" : "none"); fflush(stdout); }

// MARK: other processes

static int holds(const char *bytes, ssize_t count, const char *word) {
    return count > 0 && memmem(bytes, (size_t)count, word, strlen(word)) != NULL;
}

static void read_file(const char *pid, const char *name, const char *word) {
    static char bytes[1 << 20];
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    int fd = open(path, O_RDONLY);
    ssize_t count = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (count < 0) say(name, 0);
    else if (holds(bytes, count, word)) saw(name, 1);
    else say(name, 1);
    if (fd >= 0) close(fd);
}

static void read_link(const char *pid, const char *name) {
    char path[64], target[256];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    say(name, readlink(path, target, sizeof target) >= 0);
}

// Where its stack is; 0 if the kernel does not say. There the environment begins its life.
static unsigned long stack_of(const char *pid, unsigned long *end) {
    char path[64], line[512];
    unsigned long start = 0;
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]")) sscanf(line, "%lx-%lx", &start, end);
    if (maps) fclose(maps);
    return start;
}

static void look(const char *pid, const char *word) {
    static char bytes[1 << 20];
    char path[64];
    pid_t number = atoi(pid);
    read_file(pid, "environ", word);
    read_file(pid, "maps", word);
    unsigned long end = 0x401000, start = stack_of(pid, &end);
    if (!start) start = 0x400000;
    size_t size = end - start < sizeof bytes ? end - start : sizeof bytes;
    snprintf(path, sizeof path, "/proc/%s/mem", pid);
    int memory = open(path, O_RDWR);
    ssize_t count = memory < 0 ? -1 : pread(memory, bytes, size, (off_t)(end - size));
    if (holds(bytes, count, word)) saw("mem", 1);
    else say("mem", memory >= 0);
    struct iovec here = {bytes, size}, there = {(void *)(end - size), size};
    memset(bytes, 0, sizeof bytes);
    count = process_vm_readv(number, &here, 1, &there, 1, 0);
    if (holds(bytes, count, word)) saw("process_vm_readv", 1);
    else say("process_vm_readv", count >= 0 || errno == EFAULT);
    // The last word of a stack is zero, and stays so.
    memset(bytes + size - 8, 0, 8);
    here = (struct iovec){bytes + size - 8, 8}, there = (struct iovec){(void *)(end - 8), 8};
    say("process_vm_writev", process_vm_writev(number, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT);
    long attached = ptrace(PTRACE_SEIZE, number, 0, 0);
    say("ptrace-seize", attached == 0);
    if (attached == 0 && ptrace(PTRACE_INTERRUPT, number, 0, 0) == 0 && waitpid(number, NULL, __WALL) == number)
        ptrace(PTRACE_DETACH, number, 0, 0);
    attached = ptrace(PTRACE_ATTACH, number, 0, 0);
    say("ptrace-attach", attached == 0);
    if (attached == 0 && waitpid(number, NULL, __WALL) == number) ptrace(PTRACE_DETACH, number, 0, 0);
    int fd = (int)syscall(SYS_pidfd_open, number, 0);
    say("pidfd_getfd", fd >= 0 && syscall(SYS_pidfd_getfd, fd, 1, 0) >= 0);
    for (const char *const *name = (const char *const[]){"fd/1", "cwd", "root", "exe", NULL}; *name; name++) read_link(pid, *name);
    snprintf(path, sizeof path, "/proc/%s/fd/1", pid);
    say("fd/1-write", open(path, O_WRONLY | O_NONBLOCK) >= 0);
    snprintf(path, sizeof path, "/proc/%s/oom_score_adj", pid);
    say("oom_score_adj", open(path, O_WRONLY) >= 0);
    say("signal", kill(number, SIGCONT) == 0);
    say("setuid-0", setresuid(0, 0, 0) == 0);
    say("setuid-1000", setresuid(1000, 1000, 1000) == 0);
}

// MARK: traces

static const char *const places[] = {"/tmp", "/dev/shm", "/job", "/job/src", "/job/home", "/var/tmp", "/run", "/run/bulkhead",
                                     "/root", "/etc", "/", "/dev", "/dev/mqueue", "/.bulkhead", NULL};
static const key_t key = 0x42754c6b;

static struct sockaddr_un abstract(const char *word, socklen_t *size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(word));
    strcpy(address.sun_path + 1, word);
    return address;
}

static struct sockaddr_in local_port(void) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(27700), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void plant(const char *word) {
    char path[256], name[64];
    for (int i = 0; places[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], word);
        int fd = open(path, O_CREAT | O_WRONLY, 0644);
        if (fd >= 0) close(fd);
        printf("planted %s %s\n", places[i], fd >= 0 ? "yes" : strerrorname_np(errno));
    }
    int shared = shmget(key, 4096, IPC_CREAT | 0666);
    void *at = shared < 0 ? (void *)-1 : shmat(shared, NULL, 0);
    if (at != (void *)-1) strcpy(at, word);
    msgget(key, IPC_CREAT | 0666);
    semget(key, 1, IPC_CREAT | 0666);
    snprintf(name, sizeof name, "/%s", word);
    mq_open(name, O_CREAT | O_RDWR, 0666, NULL);
    syscall(SYS_add_key, "user", word, "x", 1, -4);  // the user's keyring, which outlives a session
    if (fork() == 0) {  // holds the sockets; leaves its session, and ends on request only
        setsid();
        for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
        socklen_t size;
        struct sockaddr_un address = abstract(word, &size);
        struct sockaddr_in port = local_port();
        int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);
        int held = bind(a, (void *)&address, size) == 0 && listen(a, 8) == 0 && bind(b, (void *)&port, sizeof port) == 0
            && listen(b, 8) == 0;
        close(0), close(1), close(2);
        while (held) pause();
        _exit(1);
    }
    socklen_t size;
    struct sockaddr_un address = abstract(word, &size);
    struct sockaddr_in port = local_port();
    while (connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, size) < 0
        || connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&port, sizeof port) < 0) usleep(10000);
    puts("planted all");
}

static void find(const char *word) {
    char path[256], name[64];
    int files = 0;
    for (int i = 0; places[i]; i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], word);
        files += access(path, F_OK) == 0;
    }
    saw("files", files);
    int shared = shmget(key, 0, 0);
    void *at = shared < 0 ? (void *)-1 : shmat(shared, NULL, 0);
    saw("sysv-memory", at != (void *)-1 && strcmp(at, word) == 0);
    saw("sysv-messages", msgget(key, 0) >= 0);
    saw("sysv-semaphores", semget(key, 0, 0) >= 0);
    snprintf(name, sizeof name, "/%s", word);
    saw("message-queue", mq_open(name, O_RDONLY) >= 0);
    saw("keyring", syscall(SYS_keyctl, 10, -4, "user", word, 0) >= 0);
    socklen_t size;
    struct sockaddr_un address = abstract(word, &size);
    struct sockaddr_in port = local_port();
    saw("abstract-socket", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, size) == 0);
    saw("loopback", connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&port, sizeof port) == 0);
    DIR *processes = opendir("/proc");
    int others = 0;
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        char line[256] = "";
        snprintf(path, sizeof path, "/proc/%.16s/cmdline", entry->d_name);
        int fd = atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid() ? open(path, O_RDONLY) : -1;
        ssize_t count = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
        // Only who planted has these two arguments; the shell that holds both in its script begins otherwise.
        others += count > 0 && strstr(line, "attack") && holds(line, count, "plant");
        if (fd >= 0) close(fd);
    }
    saw("process", others);
}

// MARK: staying

// Deaf to all that can be ignored, in a session of its own, nobody's child.
static int apart(void) {
    if (fork() != 0) return 0;
    setsid();
    if (fork() != 0) _exit(0);
    for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
    return 1;
}

// Never the same process for longer than it takes to fork the next one. A minute, so that it ends if nobody ends it.
static void run_away(void) {
    time_t end = time(NULL) + 60;
    while (time(NULL) < end) {
        if (fork() > 0) _exit(0);
        usleep(100);
    }
    _exit(0);
}

static void stay(void) {
    if (apart()) {
        pause();  // with the step's output open
        _exit(0);
    }
    if (apart()) {
        raise(SIGSTOP);
        _exit(0);
    }
    if (apart()) run_away();
    puts("left");
}

// MARK: the network

static void reach_one(const char *address, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = 1};
    int is6 = inet_pton(AF_INET6, address, &to6.sin6_addr) == 1;
    inet_pton(AF_INET, address, &to.sin_addr);
    void *name = is6 ? (void *)&to6 : (void *)&to;
    socklen_t size = is6 ? sizeof to6 : sizeof to;
    char what[128];
    int stream = socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), datagram = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    snprintf(what, sizeof what, "tcp/%s:%d", address, port);
    say(what, connect(stream, name, size) == 0);
    snprintf(what, sizeof what, "udp/%s:%d", address, port);
    say(what, sendto(datagram, "x", 1, 0, name, size) == 1);
}

static void reach(char **words) {
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *one = all; one && one->if_index; one++) printf("interface %s\n", one->if_name);
    for (; words[0] && words[1]; words += 2) {
        if (words[0][0] == '@') {
            socklen_t size;
            struct sockaddr_un address = abstract(words[0] + 1, &size);
            say(words[0], connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, size) == 0);
        } else {
            reach_one(words[0], atoi(words[1]));
        }
    }
    say("raw-icmp", socket(AF_INET, SOCK_RAW, 1) >= 0);
    say("raw-icmp6", socket(AF_INET6, SOCK_RAW, 58) >= 0);
    say("ping", socket(AF_INET, SOCK_DGRAM, 1) >= 0);
    say("packet", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
    say("vsock", socket(AF_VSOCK, SOCK_STREAM, 0) >= 0);
}

// MARK: bombs, each with an end of its own

static void forks(int most) {
    static pid_t made[4096];
    int count = 0, error = 0;
    for (; count < most && count < 4096; count++) {
        if ((made[count] = fork()) == 0) {
            while (1) pause();
        }
        if (made[count] < 0) {
            error = errno;
            break;
        }
    }
    for (int i = 0; i < count; i++) kill(made[i], SIGKILL);
    printf("forked %d %s\n", count, error ? strerrorname_np(error) : "all");
}

static void opens(int most) {
    int count = 0;
    while (count < most && open("/dev/null", O_RDONLY) >= 0) count++;
    printf("opened %d %s\n", count, count < most ? strerrorname_np(errno) : "all");
}

static void fill(const char *directory, int most) {
    static char block[1 << 20];
    char path[256];
    memset(block, 'x', sizeof block);
    snprintf(path, sizeof path, "%s/fill", directory);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600), count = 0;
    signal(SIGXFSZ, SIG_IGN);
    while (count < most && write(fd, block, sizeof block) == sizeof block) count++;
    printf("filled %s %d %s\n", directory, count, count < most ? (errno ? strerrorname_np(errno) : "short") : "all");
    unlink(path);
}

static void inodes(const char *directory, int most) {
    char path[256];
    int count = 0;
    for (; count < most; count++) {
        snprintf(path, sizeof path, "%s/i%d", directory, count);
        if (mknod(path, S_IFREG | 0600, 0) < 0) break;
    }
    printf("inodes %s %d %s\n", directory, count, count < most ? strerrorname_np(errno) : "all");
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/i%d", directory, i);
        unlink(path);
    }
}

// Anonymous memory, MiB by MiB.
static void take(int most) {
    for (int count = 0; count < most; count++) {
        char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) break;
        memset(block, 1, 1 << 20);
    }
    puts("took all");
}

// Many who hold a little each, until one of them is killed for it.
static int take_together(int processes, int each) {
    for (int i = 0; i < processes; i++) {
        if (fork() != 0) continue;
        take(each);
        while (1) pause();
    }
    int status;
    return wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 9 : 1;
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *what = count > 2 ? words[1] : "";
    if (!strcmp(what, "look")) look(words[2], words[3]);
    else if (!strcmp(what, "plant")) plant(words[2]);
    else if (!strcmp(what, "find")) find(words[2]);
    else if (!strcmp(what, "stay")) stay();
    else if (!strcmp(what, "reach")) reach(words + 2);
    else if (!strcmp(what, "fork")) forks(atoi(words[2]));
    else if (!strcmp(what, "open")) opens(atoi(words[2]));
    else if (!strcmp(what, "fill")) fill(words[2], atoi(words[3]));
    else if (!strcmp(what, "inodes")) inodes(words[2], atoi(words[3]));
    else if (!strcmp(what, "takes")) return take_together(atoi(words[2]), atoi(words[3]));
    else if (!strcmp(what, "take")) take(atoi(words[2]));
    else return 64;
    return 0;
}
