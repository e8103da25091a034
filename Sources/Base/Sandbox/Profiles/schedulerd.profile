# bulkhead-schedulerd: the database. It faces its siblings. It has one thread and can make no other: the database layer
# would start some when it is closed, so it never is.
# Form and upkeep: docs/howto/add-a-syscall.md

accept4                         # connections of the listeners that were passed
access                          # rare: SQLite asks whether a database can be written
brk                             # memory
clock_gettime                   # rare: a host whose clock cannot be read without the kernel
clock_nanosleep                 # rare: SQLite waits for a lock of the database
close                           # connections that ended
connect                         # connections to siblings
epoll_create1                   # the loop
epoll_ctl                       # the loop
epoll_wait                      # the loop
eventfd2                        # wakes the loop from another thread
exit_group                      # the end
fchmod                          # rare: SQLite gives a new file the mode of the database
fcntl arg1=F_GETFL,F_GETLK,F_SETLK # SQLite's locks; kind of a descriptor that was passed
fdatasync                       # a commit
fstat                           # rare: newer C libraries ask for a file's size so
fsync                           # rare: SQLite when it was built without fdatasync
ftruncate                       # the database and its log
futex                           # locks
getcwd                          # rare: SQLite makes a path absolute
geteuid                         # says in the log who runs
getpid                          # says in the log who runs
getrandom                       # random numbers, the seeds of dictionaries among them
getsockopt                      # who a peer is, what a descriptor is, why a connection failed
gettid                          # locks
lseek                           # rare: without Landlock, asking who owns a file reads the tables of users
mmap arg2&PROT_EXEC=0           # memory that cannot be run; SQLite's shared memory
mmap arg2&PROT_EXEC=PROT_EXEC -> EACCES # rare: without Landlock, asking who owns a file would load the host's modules
mremap                          # rare: a large buffer grows
munmap                          # rare: a large buffer is given back
newfstatat                      # kind and size of files
openat                          # the database and its directory
poll                            # rare: asking who owns a file, where nscd runs
pread64                         # the database
pwrite64                        # the database
read                            # signals, SQLite's random seed
readlink                        # rare: SQLite when the state directory is a symbolic link
recvmsg                         # frames, with descriptors
restart_syscall                 # rare: a wait goes on after the process was stopped and continued
rt_sigaction                    # ignores SIGPIPE
rt_sigprocmask                  # signals come by the loop
rt_sigreturn                    # rare: the end of a signal's handler
sched_yield                     # rare: a lock that another thread holds
sendmsg                         # frames with a descriptor
sendto                          # frames; readiness
signalfd4                       # signals come by the loop
socket arg0=AF_UNIX             # connections to siblings; no other family
tgkill arg0=self                # rare: abort; no other process
umask                           # nobody else reads the database
unlink                          # files that SQLite needs no more
write                           # the log, the loop's waking
writev                          # rare: the last words of the C library
