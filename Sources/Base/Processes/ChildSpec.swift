// What a child process is to be: everything is said, nothing is inherited by accident.

/// A process to start. Standard descriptors that are nil are /dev/null; every descriptor not named here is closed.
package struct ChildSpec: Sendable {
    /// Absolute path; PATH is not searched.
    package var executable: String
    /// `arguments[0]` is the name of the program.
    package var arguments: [String]
    /// Exactly what the child sees, as `NAME=value`.
    package var environment: [String]
    /// nil: the parent's.
    package var workingDirectory: String?
    package var stdin: Int32?
    package var stdout: Int32?
    package var stderr: Int32?
    /// Further descriptors: the parent's number and the number in the child (3 or above).
    package var descriptors: [(parent: Int32, child: Int32)]
    /// Taken before the program runs (needs root); nil: the parent's user.
    package var user: ChildUser?
    /// A session of its own (setsid), and so no terminal.
    package var newSession = false
    /// The signal that the child gets when the *thread* that spawned it ends.
    package var deathSignal: Int32?
    package var noNewPrivileges = false
    /// No capability in any set, and none in the bounding set where the parent may empty that.
    package var noCapabilities = false
    /// The child writes below these directories only, and signals nobody but its own descendants, where the kernel has
    /// Landlock. Needs `noNewPrivileges`. nil: no such limit.
    package var writableDirectories: [String]?
    /// Adds `NAME=<pid of the child>` to the environment: `LISTEN_PID`, which nobody knows before the fork.
    package var pidVariable: String?

    package init(
        executable: String, arguments: [String], environment: [String] = [], workingDirectory: String? = nil,
        stdin: Int32? = nil, stdout: Int32? = nil, stderr: Int32? = nil,
        descriptors: [(parent: Int32, child: Int32)] = [], user: ChildUser? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.descriptors = descriptors
        self.user = user
    }
}

/// The user that a child becomes: real, effective and saved ids, and exactly these supplementary groups.
/// Any other than root also loses the capability bounding set (where the parent may).
package struct ChildUser: Equatable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    package var groups: [UInt32]

    package init(uid: UInt32, gid: UInt32, groups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}
