// The forbidden acts of the victim, which a program in Swift could not commit by itself.
#pragma once

/// A system call with these arguments: its result, or -errno.
long victim_call(long number, long a, long b, long c, long d, long e, long f);

/// Commits the act `name` on `place` (a path, a port, a pid: what the act is about). 0 or above: it succeeded; -errno:
/// it failed; -1000: there is no such act.
long victim_act(const char *name, const char *place);

/// Runs `body` in a child: the status of wait, or -errno.
int victim_in_child(void (*body)(void *), void *context);
