// What this site allows, from spawnerd's own command line: a request cannot change a word of it.

/// How the engine is told which NVIDIA GPU: by a request to NVIDIA's driver, or by a name of the Container Device
/// Interface.
package enum NVIDIAPassing: String, CaseIterable, Sendable { case requests, cdi }

/// The site's side of every plan.
package struct SitePolicy: Equatable, Sendable {
    /// Tells this installation's containers from those of others on the same engine: 1 to 32 of `a-z 0-9`.
    package var instance: String
    /// The static runner, an absolute path on the engine's host that every user there may read.
    package var runnerBinary: String
    /// brokerd's file system of grants, an absolute path on the engine's host.
    package var grantsDirectory: String
    package var profiles: Set<RunnerProfile>
    /// Names of images; one that ends in `*` stands for all that begin like it.
    package var images: [String]
    /// The largest runner.
    package var ceiling: RunnerResources
    /// Run even where the engine has no user namespaces, so that root in a runner is root of the host.
    package var allowNoUserNamespaces: Bool
    /// The engine's name of the low-level runtime. Always sent, so that an engine's default cannot surprise us.
    package var runtime: String
    /// The same for jobs of authors who are not trusted (`runsc`, say), where it differs.
    package var untrustedRuntime: String?
    /// Open files of one process in a runner; not above what the engine itself was given.
    package var openFiles: UInt64
    package var nvidia: NVIDIAPassing

    package init(
        instance: String, runnerBinary: String, grantsDirectory: String, images: [String] = ["*"],
        ceiling: RunnerResources, profiles: Set<RunnerProfile> = [.strict], allowNoUserNamespaces: Bool = false,
        runtime: String = "runc", untrustedRuntime: String? = nil, openFiles: UInt64 = 4096,
        nvidia: NVIDIAPassing = .requests
    ) {
        self.instance = instance
        self.runnerBinary = runnerBinary
        self.grantsDirectory = grantsDirectory
        self.profiles = profiles
        self.images = images
        self.ceiling = ceiling
        self.allowNoUserNamespaces = allowNoUserNamespaces
        self.runtime = runtime
        self.untrustedRuntime = untrustedRuntime
        self.openFiles = openFiles
        self.nvidia = nvidia
    }

    /// What is wrong with the site's own words, or nil. spawnerd does not start with it.
    package var mistake: String? {
        let lowerOrDigit: (UInt8) -> Bool = { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
        if !(1...32).contains(instance.utf8.count) || !instance.utf8.allSatisfy(lowerOrDigit) {
            return "instance is 1 to 32 lower-case letters and digits"
        }
        if !Self.isPath(runnerBinary) { return "the runner's path is not absolute" }
        if !Self.isPath(grantsDirectory) || grantsDirectory.hasSuffix("/") {
            return "the grants' path is not absolute, or ends in a slash"
        }
        if profiles.isEmpty { return "no profile is allowed" }
        if runtime.isEmpty || untrustedRuntime?.isEmpty == true { return "the runtime has no name" }
        return nil
    }

    private static func isPath(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.utf8.contains { $0 < 0x20 }
    }

    func runtime(for trust: RunnerTrust) -> String {
        trust == .untrusted ? untrustedRuntime ?? runtime : runtime
    }

    func allows(image: String) -> Bool {
        images.contains { $0.hasSuffix("*") ? image.hasPrefix($0.dropLast()) : image == $0 }
    }
}
