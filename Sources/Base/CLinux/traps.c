// For --sandbox=trap: says which system call a profile lacks, and ends the process. The signal may come in the middle
// of an allocation, so nothing here allocates, locks or formats by way of the C library.
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static const char *names[BH_CALL_NAMES];
static char who[32];

void bh_name_call(int number, const char *name) {
    if (number >= 0 && number < BH_CALL_NAMES) names[number] = name;
}

static char *put(char *to, const char *end, const char *text) {
    while (*text && to < end) *to++ = *text++;
    return to;
}

static char *put_number(char *to, const char *end, unsigned long number, unsigned base) {
    char digits[24], *at = digits + sizeof digits;
    *--at = 0;
    do *--at = "0123456789abcdef"[number % base];
    while ((number /= base));
    return put(to, end, at);
}

static char *put_arguments(char *to, const char *end, const void *context) {
    const ucontext_t *state = context;
#if defined(__x86_64__)
    const greg_t *r = state->uc_mcontext.gregs;
    unsigned long values[] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10]};
#elif defined(__aarch64__)
    const unsigned long long *r = state->uc_mcontext.regs;
    unsigned long values[] = {r[0], r[1], r[2], r[3]};
#else
    unsigned long values[] = {0};
    (void)state;
#endif
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        to = put(to, end, i ? ", 0x" : "0x");
        to = put_number(to, end, values[i], 16);
    }
    return to;
}

static void explain(int signal, siginfo_t *info, void *context) {
    char line[256], *end = line + sizeof line - 1, *to = line;
    to = put(to, end, "bulkhead-");
    to = put(to, end, who);
    to = put(to, end, ": the profile does not permit ");
    int number = info->si_syscall;
    if (number >= 0 && number < BH_CALL_NAMES && names[number]) to = put(to, end, names[number]);
    else {
        to = put(to, end, "call ");
        to = put_number(to, end, (unsigned)number, 10);
    }
    to = put(to, end, "(");
    to = put_arguments(to, end, context);
    to = put(to, end, ", ...)");
    *to++ = '\n';
    // Whoever reads standard error may be gone; the status says it all the same.
    ssize_t ignored = write(2, line, (size_t)(to - line));
    (void)ignored;
    _exit(128 + signal);
}

int bh_explain_traps(const char *profile) {
    strncpy(who, profile, sizeof who - 1);
    struct sigaction action = {.sa_sigaction = explain, .sa_flags = SA_SIGINFO | SA_NODEFER};
    return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : 0;
}
