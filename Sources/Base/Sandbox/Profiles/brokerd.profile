# bulkhead-brokerd: secrets. It faces its siblings: it connects to nobody and starts nothing.
# Form and upkeep: docs/howto/add-a-syscall.md

accept4                         # connections of the listeners that were passed
brk                             # rare: the heap grows
chmod                           # grant directories and files have their mode whatever the umask
clock_gettime                   # rare: a host whose clock cannot be read without the kernel
close                           # connections that ended
epoll_create1                   # the loop
epoll_ctl                       # the loop
epoll_wait                      # the loop
eventfd2                        # wakes the loop from another thread
exit_group                      # the end
fchmod                          # grant files become readable when they are whole
fcntl arg1=F_GETFL              # kind of a descriptor that was passed: the body of a webhook
fdatasync                       # an audit record, before anything is released
flock                           # one writer of the audit log
fstat                           # rare: newer C libraries ask for a file's size so
fsync                           # the sealed store, before it replaces the old one
ftruncate                       # wipes grants; cuts a torn audit record
futex                           # locks
getdents64                      # grants that are there, key files
geteuid                         # says in the log who runs
getpid                          # says in the log who runs
getrandom                       # random numbers, the seeds of dictionaries among them
getsockopt                      # who a peer is, what a descriptor is, why a connection failed
gettid                          # rare: locks, abort
lseek                           # rare: a directory that is read again
madvise                         # secrets are in no core dump and no child
mkdirat                         # a grant's directory
mlock                           # secrets are never in swap
mmap arg2&PROT_EXEC=0           # memory that cannot be run
mprotect arg2&PROT_EXEC=0       # rare: memory when the heap cannot grow in its place
mremap                          # rare: a large buffer grows
munmap                          # large buffers that are free again
newfstatat                      # kind and size of files
openat                          # store, audit log, grants, master keys
pread64                         # audit log, keys
pwrite64                        # audit log, wiping
read                            # store, signals
recvmsg                         # frames, with descriptors
rename                          # commits a store, publishes a grant
restart_syscall                 # rare: a wait goes on after the process was stopped and continued
rt_sigaction                    # ignores SIGPIPE
rt_sigprocmask                  # signals come by the loop
rt_sigreturn                    # rare: the end of a signal's handler
sendmsg                         # hands mask patterns to relayd
sendto                          # frames; readiness
signalfd4                       # signals come by the loop
socket arg0=AF_UNIX             # rare: readiness, to the service manager; no other family
tgkill arg0=self                # rare: abort; no other process
unlinkat                        # wiped grants
write                           # the store, the log of the daemon
writev                          # rare: the last words of the C library
