# bulkhead-spawnerd: the container engine. It faces schedulerd: it opens no file. What it reads of the host it has open.
# Form and upkeep: docs/howto/add-a-syscall.md

accept4                         # connections of the listeners that were passed
brk                             # memory
clock_gettime                   # rare: a host whose clock cannot be read without the kernel
close                           # connections that ended
connect                         # relayd, the engine
epoll_create1                   # the loop
epoll_ctl                       # the loop
epoll_wait                      # the loop
eventfd2                        # wakes the loop from another thread
exit_group                      # the end
fstat                           # rare: newer C libraries ask for a file's size so
futex                           # rare: what is initialised once
geteuid                         # says in the log who runs
getpid                          # says in the log who runs
getrandom                       # rare: seeds of dictionaries
getsockopt                      # who a peer is, what a descriptor is, why a connection failed
gettid                          # rare: locks, abort
mmap arg2&PROT_EXEC=0           # rare: a large answer of the engine; never to be run
mprotect arg2&PROT_EXEC=0       # rare: memory when the heap cannot grow in its place
mremap                          # rare: a large buffer grows
munmap                          # rare: a large answer of the engine is done with
pread64                         # rare: what a GPU does, in files that were opened before; most hosts have none
read                            # the engine's answers, signals
recvmsg                         # frames, with descriptors
restart_syscall                 # rare: a wait goes on after the process was stopped and continued
rt_sigaction                    # ignores SIGPIPE
rt_sigprocmask                  # signals come by the loop
rt_sigreturn                    # rare: the end of a signal's handler
sendmsg                         # hands a runner's stream to relayd
sendto                          # frames; readiness
signalfd4                       # signals come by the loop
socket arg0=AF_UNIX             # connections to relayd and the engine; no other family
tgkill arg0=self                # rare: abort; no other process
write                           # requests to the engine, the log
writev                          # rare: the last words of the C library
