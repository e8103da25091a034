// The system calls that a daemon may make: a file of Profiles/, compiled in. Its form, which
// docs/howto/add-a-syscall.md explains:
//
//     accept4                                # takes connections
//     socket arg0=AF_UNIX                    # connects to a sibling; no other family
//     mmap arg2&PROT_EXEC=0                  # memory, and none of it can be run
//     clone3 -> ENOSYS                       # its flags cannot be checked; the C library takes clone then
//     clock_gettime                          # rare: where the clock cannot be read without the kernel
//
// Sorted by name; a call may have several lines with different arguments. Whatever no line permits ends the process.

/// A daemon's profile.
package struct Profile: Sendable {
    /// `relayd`
    package let name: String
    private let text: [UInt8]

    /// The most calls that one may permit.
    package static let limit = 65

    package static let apid = Profile(name: "apid", text: PackageResources.apid_profile)
    package static let brokerd = Profile(name: "brokerd", text: PackageResources.brokerd_profile)
    package static let courierd = Profile(name: "courierd", text: PackageResources.courierd_profile)
    package static let relayd = Profile(name: "relayd", text: PackageResources.relayd_profile)
    package static let schedulerd = Profile(name: "schedulerd", text: PackageResources.schedulerd_profile)
    package static let spawnerd = Profile(name: "spawnerd", text: PackageResources.spawnerd_profile)

    package static let all = [apid, brokerd, courierd, relayd, schedulerd, spawnerd]

    init(name: String, text: [UInt8]) {
        self.name = name
        self.text = text
    }

    /// A profile that is not one of ours, for the tests of what mistakes are told.
    package init(name: String, text: String) {
        self.init(name: name, text: Array(text.utf8))
    }

    /// The lines, or all that is wrong with them. The tests hold this to be without mistakes for each of `all`.
    package func read() -> (rules: [Rule], mistakes: [ProfileMistake]) {
        var parser = ProfileParser(profile: name)
        return parser.read(String(decoding: text, as: UTF8.self))
    }

    /// The lines; throws if anything is wrong with them.
    package func rules() throws(SandboxError) -> [Rule] {
        let (rules, mistakes) = read()
        if !mistakes.isEmpty { throw .profile(mistakes.map(\.description).joined(separator: "; ")) }
        return rules
    }
}
