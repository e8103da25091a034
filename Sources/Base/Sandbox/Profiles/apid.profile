# bulkhead-apid: HTTP. It faces the network: it opens no file of ours, starts nothing and connects to schedulerd alone.
# Form and upkeep: docs/howto/add-a-syscall.md

accept4                         # connections of the listeners that were passed
brk                             # memory
clock_gettime                   # rare: a host whose clock cannot be read without the kernel
clock_nanosleep                 # rare: a thread that waits for a lock to be free
clone arg0&CLONE_THREAD=CLONE_THREAD # threads, never processes
clone3 -> ENOSYS                # its flags lie in memory, where they cannot be checked: the C library takes clone then
close                           # connections that ended
connect                         # schedulerd; syslog, where the dispatch library complains
epoll_create                    # NIO's loops
epoll_create1                   # the link's loop
epoll_ctl                       # the loop
epoll_wait                      # the loop
eventfd2                        # wakes a loop from another thread
exit                            # the end of a thread
exit_group                      # the end
fcntl arg1=F_GETFL,F_SETFL      # non-blocking descriptors; kind of a descriptor that was passed
fstat                           # rare: newer C libraries ask for a file's size so
futex                           # locks
geteuid                         # says in the log who runs
getpeername                     # the address of a client
getpid                          # says in the log who runs
getrandom                       # random numbers, the seeds of dictionaries among them
getsockname                     # the address of the listener
getsockopt                      # rare: why a connection failed
gettid                          # locks, threads
listen                          # NIO calls it on the listener that was passed
lseek                           # the C library reads the time zone
madvise                         # memory of threads is given back
memfd_create arg1=1             # the body of a webhook; 1 is MFD_CLOEXEC: nothing here runs a program
mmap arg2&PROT_EXEC=0           # memory that cannot be run
mprotect arg2&PROT_EXEC=0       # memory of threads
mremap                          # rare: a large buffer grows
munmap                          # large buffers that are free again
newfstatat                      # size of a log, which was passed as a descriptor
openat                          # the time zone; /proc: the dispatch library looks at its threads, we at our memory
prctl arg0=PR_SET_NAME          # names of threads
pread64                         # logs
read                            # requests, signals
readlink                        # the name of the time zone
recvmsg                         # frames, with descriptors
restart_syscall                 # rare: a wait goes on after the process was stopped and continued
rseq                            # threads: the C library's start of one
rt_sigaction                    # ignores SIGPIPE
rt_sigprocmask                  # signals come by the loop
rt_sigreturn                    # rare: the end of a signal's handler
sched_getaffinity               # rare: the C library counts processors when many threads allocate
sched_yield                     # rare: a lock that another thread holds
sendmsg                         # hands the body of a webhook on
sendto                          # frames; readiness; the dispatch library's complaints to syslog
set_robust_list                 # threads: the C library's start of one
setpriority arg0=PRIO_PROCESS arg1=0 # the dispatch library sets a thread's own priority
setsockopt                      # sends small answers at once
shutdown                        # rare: a connection that is closed in one direction
signalfd4                       # signals come by the loop
socket arg0=AF_UNIX             # connections to siblings; no other family
tgkill arg0=self                # rare: abort; no other process
timerfd_create                  # timers of NIO and of the dispatch library
timerfd_settime                 # timers of NIO and of the dispatch library
write                           # answers, the log, sources that are uploaded
writev                          # answers
