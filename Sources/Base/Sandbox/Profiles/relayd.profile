# bulkhead-relayd: streams and logs. It faces every byte that a job writes.
# Form and upkeep: docs/howto/add-a-syscall.md

accept4                         # connections of the listeners that were passed
brk                             # memory
clock_gettime                   # rare: a host whose clock cannot be read without the kernel
close                           # connections that ended
connect                         # connections to siblings
epoll_create1                   # the loop
epoll_ctl                       # the loop
epoll_wait                      # the loop
eventfd2                        # wakes the loop from another thread
exit_group                      # the end
fcntl arg1=F_DUPFD_CLOEXEC,F_GETFL,F_SETFL # non-blocking streams; descriptors that are handed on
fdatasync                       # the journal, before a record is acknowledged
fstat                           # rare: newer C libraries ask for a file's size so
ftruncate                       # a log or journal with a torn end
futex                           # locks
getdents64                      # journals that are there at the start, logs to remove
geteuid                         # says in the log who runs
getpid                          # says in the log who runs
getrandom                       # random numbers, the seeds of dictionaries among them
getsockopt                      # who a peer is, what a descriptor is, why a connection failed
gettid                          # locks, abort
linkat                          # a source that has arrived whole gets its name
lseek                           # rare: a directory that is read again
madvise                         # mask patterns are in no core dump and no child
mkdirat                         # a directory for an attempt
mlock                           # mask patterns are never in swap
mmap arg2&PROT_EXEC=0           # memory that cannot be run
mprotect arg2&PROT_EXEC=0       # rare: memory when the heap cannot grow in its place
mremap                          # rare: a large buffer grows
munmap                          # large buffers that are free again
newfstatat                      # kind and size of files
openat                          # logs, journals, sources
pipe2                           # the way of an upload
pread64                         # sources, mask patterns
pwrite64                        # logs, journals, sources
read                            # the runners' streams, uploads, signals
recvmsg                         # frames, with descriptors
rename                          # journals
restart_syscall                 # rare: a wait goes on after the process was stopped and continued
rt_sigaction                    # ignores SIGPIPE
rt_sigprocmask                  # signals come by the loop
rt_sigreturn                    # rare: the end of a signal's handler
sendmsg                         # frames with a descriptor
sendto                          # frames; readiness
signalfd4                       # signals come by the loop
socket arg0=AF_UNIX             # connections to siblings; no other family
tgkill arg0=self                # rare: abort; no other process
unlinkat                        # journals that are done with, logs that are kept no longer
write                           # the runners' streams, the log of the daemon
writev                          # rare: the last words of the C library
