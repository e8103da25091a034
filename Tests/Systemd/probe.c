/* What may a program do here? Stands in a daemon's place inside its unit and tries; one line each: `name=ok`, `name=ENOENT`, or a
 * value. walls.py knows which line answers to which directive. Nothing it tries does harm where it is allowed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/timex.h>
#include <unistd.h>

static void say(const char *name, long result) {
    printf("%s=%s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
}

static long try_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd;
}

static long try_create(const char *path) {
    long result = try_open(path, O_CREAT | O_WRONLY);
    if (result >= 0) unlink(path);
    return result;
}

static void say_socket(const char *name, int family, int type) {
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    say(name, fd);
    if (fd >= 0) close(fd);
}

/* The child's verdict as ours: what would end or change this process is done by another. */
static long in_child(long (*body)(void)) {
    pid_t child = fork();
    int status = 0;
    if (child == 0) _exit(body() < 0 ? errno : 0);
    if (child < 0 || waitpid(child, &status, 0) < 0) return -1;
    errno = WIFSIGNALED(status) ? EFAULT : WEXITSTATUS(status);
    return errno ? -1 : 0;
}

/* `_ses` is a keyring of our own; without one it is the user's, `_uid_ses.0`. */
static void session_keyring(void) {
    char text[128] = "";
    long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1);
    const char *name = strrchr(text, ';');
    printf("session_keyring=%s\n", length < 0 ? strerrorname_np(errno) : name ? name + 1 : text);
}

static long new_user(void) { return unshare(CLONE_NEWUSER); }
static long new_net(void) { return unshare(CLONE_NEWNET); }
static long new_root(void) { return chroot("/"); }
static long personality_i386(void) { return syscall(SYS_personality, 8); }
/* A priority that does not exist: EINVAL where one that does may be asked for. */
static long real_time(void) { struct sched_param none = {1000}; return sched_setscheduler(0, SCHED_RR, &none); }
static long keyring(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1); }
static long traced(void) { return syscall(SYS_ptrace, 0, 0, 0, 0); }
static long ring(void) { char parameters[120] = {0}; return syscall(SYS_io_uring_setup, 1, parameters); }
static long nothing_mounted(void) { return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0x5000 /* MS_BIND | MS_REC */, 0); }
static long host_name(void) { char name[65]; gethostname(name, sizeof name); return sethostname(name, strlen(name)); }
static long kernel_log(void) { return syscall(SYS_syslog, 10, 0, 0); }
static long clock_read(void) { struct timex nothing = {0}; return adjtimex(&nothing); }
static long no_module(void) { return syscall(SYS_delete_module, "no_such_module", O_NONBLOCK); }

static long execute_copy(const char *folder) {
    char buffer[65536], path[4096];
    ssize_t count;
    snprintf(path, sizeof path, "%s/probe-copy", folder);
    int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0700);
    if (from < 0 || to < 0) return -1;
    while ((count = read(from, buffer, sizeof buffer)) > 0) if (write(to, buffer, count) != count) return -1;
    close(to);
    execl(path, "probe-copy", "exit", (char *)0);
    return -1;
}

static long execute_in_tmp(void) { return execute_copy("/tmp"); }
static long execute_in_state(void) { return execute_copy(getenv("STATE_DIRECTORY")); }

static long set_user_id_file(void) {
    int fd = open("/tmp/probe-suid", O_CREAT | O_WRONLY, 0600);
    long result = fd < 0 ? -1 : fchmod(fd, 04700);
    unlink("/tmp/probe-suid");
    return result;
}

static long call_i386(void) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid */) : "memory");
    return result;
#else
    return 0;
#endif
}

static long write_then_execute(void) {
    void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long control_group(const char *path) {
    long result = mkdir(path, 0755);
    if (result == 0) rmdir(path);
    return result;
}

static void files(void) {
    say("write_root", try_create("/probe-file"));
    say("write_lib", try_create("/usr/lib/probe-file"));
    say("write_tmp", try_create("/tmp/probe-file"));
    say("host_tmp", try_open("/tmp/probe-marker", O_RDONLY));
    say("host_etc", try_open("/etc/probe-marker", O_RDONLY));
    say("home", try_open("/home/probe-marker", O_RDONLY));
    say("modules", try_open("/usr/lib/modules/probe-marker", O_RDONLY));
    say("host_device", try_open("/dev/probe", O_RDONLY));
    say("null_device", try_open("/dev/null", O_RDONLY));
    say("control_groups", control_group("/sys/fs/cgroup/systemd/probe"));
    say("tunable", try_open("/proc/sys/kernel/core_pattern", O_WRONLY));
    say("proc_files", try_open("/proc/meminfo", O_RDONLY));
    say("other_processes", try_open("/proc/1/status", O_RDONLY));
    say("host_tree", try_open("/host/sys/class", O_RDONLY));
    say("host_node", try_open("/host/dev/kfd", O_RDONLY));
    say("grants", try_create("/run/bulkhead/grants/probe-file"));
    for (const char *edge = "scheduler\0spawner\0stream\0relay\0broker\0mask\0courier\0forge\0"; *edge; edge += strlen(edge) + 1) {
        char path[80], name[40];
        snprintf(path, sizeof path, "/run/bulkhead/%s/socket", edge);
        snprintf(name, sizeof name, "edge_%s", edge);
        say(name, access(path, W_OK));
    }
    if (getenv("STATE_DIRECTORY")) {
        char path[4096];
        snprintf(path, sizeof path, "%s/probe-file", getenv("STATE_DIRECTORY"));
        say("write_state", try_create(path));
    }
    if (getenv("CREDENTIALS_DIRECTORY")) {
        char path[4096];
        struct stat status;
        snprintf(path, sizeof path, "%s/master_current", getenv("CREDENTIALS_DIRECTORY"));
        say("credential", try_open(path, O_RDONLY));
        say("credential_write", try_open(path, O_WRONLY));
        if (stat(path, &status) == 0) printf("credential_mode=%o\ncredential_owner=%u\n", status.st_mode & 07777, status.st_uid);
    }
}

static void privileges(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        char name[32], value[64];
        if (sscanf(line, "%31[A-Za-z_]: %63s", name, value) != 2) continue;
        if (!strncmp(name, "Cap", 3) || !strcmp(name, "NoNewPrivs") || !strcmp(name, "Seccomp")) printf("%s=%s\n", name, value);
    }
    for (const char *name = "net\0ipc\0uts\0user\0mnt\0"; *name; name += strlen(name) + 1) {
        char path[32], link[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", name);
        ssize_t length = readlink(path, link, sizeof link);
        printf("ns_%s=%.*s\n", name, length < 0 ? 0 : (int)length, link);
    }
    printf("uid=%u\numask=%03o\n", getuid(), umask(0));
    struct { const char *name; int which; } limits[] = {
        {"limit_core", RLIMIT_CORE}, {"limit_files", RLIMIT_NOFILE}, {"limit_processes", RLIMIT_NPROC}, {"limit_locked", RLIMIT_MEMLOCK}};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit limit;
        if (getrlimit(limits[i].which, &limit) == 0) printf("%s=%llu\n", limits[i].name, (unsigned long long)limit.rlim_max);
    }
    say("suid_file", set_user_id_file());
    say("execute", in_child(execute_in_tmp));
    if (getenv("STATE_DIRECTORY")) say("execute_state", in_child(execute_in_state));
    say("write_execute_map", mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    say("write_then_execute", write_then_execute());
}

/* Nobody listens there; the packet only has to leave. */
static long send_packet(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return from < 0 ? -1 : sendto(from, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}

static void kernel(void) {
    say_socket("socket_unix", AF_UNIX, SOCK_STREAM);
    say_socket("socket_inet", AF_INET, SOCK_STREAM);
    say_socket("socket_inet6", AF_INET6, SOCK_STREAM);
    say_socket("socket_netlink", AF_NETLINK, SOCK_RAW);
    say_socket("socket_packet", AF_PACKET, SOCK_RAW);
    say("new_user_namespace", in_child(new_user));
    say("new_network_namespace", in_child(new_net));
    say("chroot", in_child(new_root));
    say("mount", in_child(nothing_mounted));
    say("ptrace", in_child(traced));
    say("personality", in_child(personality_i386));
    say("real_time", in_child(real_time));
    session_keyring();
    say("keyring", in_child(keyring));
    say("io_uring", in_child(ring));
    say("packet", in_child(send_packet));
    say("host_name", host_name());
    say("kernel_log", kernel_log());
    say("clock", clock_read());
    say("module", no_module());
    say("call_i386", in_child(call_i386));
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "exit")) return 0;
    if (count > 1 && !strcmp(arguments[1], "leave")) return try_open("/dev/shm/probe-left", O_CREAT | O_WRONLY) < 0;
    files();
    privileges();
    kernel();
    return 0;
}
