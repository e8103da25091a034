// The job's directories: what is made before a job, and whose it is.
//
//                       without untrusted steps     with untrusted steps
//   /job/src            the steps' user             2000; untrusted steps begin there
//   /job/ci             -                           the trusted steps' user; they begin there
//   /job/home           the steps' user             the trusted steps' user, 0700
//   /job/home-untrusted -                           2000, 0700
//   /job/tmp            -                           the trusted steps' user, 0700
//   /job/tmp-untrusted  -                           2000, 0700
//   /job/.secrets       the trusted steps' user, 0700, in a job that names a secret as a file

import Files
import Glibc
import Posix
import Processes
import Wire

struct JobDirectories {
    let source: String
    let ci: String
    let home: String
    let untrustedHome: String
    let secrets: String
    let temporary: String
    let untrustedTemporary: String
    private let job: String

    init(_ configuration: RunnerConfiguration) {
        job = configuration.jobDirectory
        source = job + "/src"
        ci = job + "/ci"
        home = job + "/home"
        untrustedHome = job + "/home-untrusted"
        secrets = job + "/.secrets"
        temporary = job + "/tmp"
        untrustedTemporary = job + "/tmp-untrusted"
    }

    /// Makes them. No step has run yet, so nobody can put anything in their place.
    /// - Returns: the source's, open.
    func make(for spec: JobSpec, _ users: StepUsers) throws(PosixError) -> FileDescriptor {
        let trusted = users.trustedUser(spec.shape.profile)
        let isSplit = spec.isSplit
        guard isSplit || trusted != nil else {
            return try makeAll(for: spec, users, isSplit: false)
        }
        // The runner may neither give files away nor write where it has no right: for a moment, everybody may make
        // directories here, and nobody else is there.
        try Posix.chmod(job, 0o777)
        let directory = try makeAll(for: spec, users, isSplit: isSplit)
        try Posix.chmod(job, 0o755)
        return directory
    }

    /// nil: the runner's own user.
    func ownerOfSource(_ spec: JobSpec, _ users: StepUsers) -> ChildUser? {
        spec.isSplit ? StepUsers.untrusted : users.trustedUser(spec.shape.profile)
    }

    private func makeAll(
        for spec: JobSpec, _ users: StepUsers, isSplit: Bool
    ) throws(PosixError) -> FileDescriptor {
        let trusted = users.trustedUser(spec.shape.profile)
        try make(home, isSplit ? 0o700 : 0o755, trusted)
        if isSplit {
            try make(ci, 0o755, trusted)
            try make(untrustedHome, 0o700, StepUsers.untrusted)
            try make(temporary, 0o700, trusted)
            try make(untrustedTemporary, 0o700, StepUsers.untrusted)
        }
        let usesFiles = spec.steps.contains { $0.secrets.contains { $0.form == .file } }
        if usesFiles { try make(secrets, 0o700, trusted) }
        try make(source, 0o755, ownerOfSource(spec, users))
        return try Posix.open(source, [.readOnly, .directory, .noFollow])
    }

    private func make(_ path: String, _ mode: UInt32, _ owner: ChildUser?) throws(PosixError) {
        try FileUser.perform(as: owner) { () throws(PosixError) in
            try Posix.mkdir(path, mode: mode, existing: true)
        }
    }
}

extension JobSpec {
    /// It has untrusted steps: there are two users, and what is each one's is kept apart.
    var isSplit: Bool { steps.contains(where: \.untrusted) }
}
