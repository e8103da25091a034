# bulkhead-courierd: the way out. It faces every byte that a forge says. Threads look names up, by files and DNS of the
# C library's own: nothing of the host is loaded for it.
# Form and upkeep: docs/howto/add-a-syscall.md

accept4                         # connections of the listener that was passed
brk                             # memory
clock_gettime                   # rare: a host whose clock cannot be read without the kernel
clock_nanosleep                 # rare: a thread that waits for a lock to be free
clone arg0&CLONE_THREAD=CLONE_THREAD # threads, never processes
clone3 -> ENOSYS                # its flags lie in memory, where they cannot be checked: the C library takes clone then
close                           # connections that ended, archives
connect                         # forges, name servers, brokerd
epoll_create1                   # the loop
epoll_ctl                       # the loop
epoll_wait                      # the loop
eventfd2                        # wakes the loop from another thread
exit                            # the end of a thread
exit_group                      # the end
fcntl arg1=F_GETFL,F_SETFL      # non-blocking sockets; kind of a descriptor that was passed
fstat                           # rare: newer C libraries ask for a file's size so
futex                           # locks
geteuid                         # says in the log who runs
getpeername                     # to whom a connection is
getpid                          # says in the log who runs
getrandom                       # random numbers, those of TLS among them
getsockname                     # from where a connection is
getsockopt                      # who a peer is, what a descriptor is, why a connection failed
gettid                          # rare: locks, abort
ioctl arg1=FIONREAD             # the size of a name server's answer
lseek                           # rare: the C library reads its files of names again
madvise                         # tokens are in no core dump and no child; memory of threads is given back
memfd_create arg1=1             # a token or a job's values on the way to brokerd; 1 is MFD_CLOEXEC
mlock                           # tokens are never in swap
mmap arg2&PROT_EXEC=0           # memory that cannot be run
mmap arg2&PROT_EXEC=PROT_EXEC -> EACCES # rare: without Landlock, a module of the host's for names would be loaded
mprotect arg2&PROT_EXEC=0       # memory of threads
mremap                          # rare: a large buffer grows
munmap                          # large buffers that are free again
newfstatat                      # kind and size of files; whether the C library's files of names have changed
openat                          # archives without a name; the C library's files of names
poll                            # answers of name servers; libcurl looks whether a kept connection lives
pread64                         # tokens
read                            # signals, TLS, the C library's files of names
recvfrom                        # answers of name servers and of forges
recvmsg                         # frames, with descriptors
restart_syscall                 # rare: a wait goes on after the process was stopped and continued
rseq                            # threads: the C library's start of one
rt_sigaction                    # ignores SIGPIPE
rt_sigprocmask                  # signals come by the loop; the C library's start of a thread
rt_sigreturn                    # rare: the end of a signal's handler
sched_yield                     # rare: a lock that another thread holds
sendmmsg                        # questions to name servers
sendmsg                         # frames with a descriptor
sendto                          # frames, readiness, requests to forges
set_robust_list                 # threads: the C library's start of one
setsockopt                      # requests are sent at once
shutdown                        # rare: a connection that is closed in one direction
signalfd4                       # signals come by the loop
socket arg0=AF_NETLINK -> EPERM # rare: of a name with many addresses the C library asks for ours, and does without
socket arg0=AF_UNIX,AF_INET,AF_INET6 # brokerd, forges, name servers; no other family
socketpair arg0=AF_UNIX         # a thread that looked a name up wakes the loop
tgkill arg0=self                # rare: abort; no other process
uname                           # rare: a C library that asks for the name of the host
write                           # archives, the log, TLS
writev                          # rare: the last words of the C library
