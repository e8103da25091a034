// An image's configuration is written by whoever made the image. Here it is weighed, before a container exists.

/// What a driver reads in an image.
package struct ImageFacts: Equatable, Sendable {
    /// The content's own name. The container is made from it, so that a tag moved in between changes nothing.
    package var id: String
    package var operatingSystem: String
    package var architecture: String
    package var environmentNames: [String]
    package var volumes: [String]
    package var labelKeys: [String]

    package init(
        id: String, operatingSystem: String = "linux", architecture: String, environmentNames: [String] = [],
        volumes: [String] = [], labelKeys: [String] = []
    ) {
        self.id = id
        self.operatingSystem = operatingSystem
        self.architecture = architecture
        self.environmentNames = environmentNames
        self.volumes = volumes
        self.labelKeys = labelKeys
    }
}

/// A plan tied to the one image that it is for: what a driver can create.
package struct BoundPlan: Equatable, Sendable {
    package let plan: RunnerPlan
    package let imageID: String
    /// Variables that the image sets (LD_PRELOAD, BASH_ENV, ...) and the container shall not have.
    package let clearedVariables: [String]
}

extension RunnerPlan {
    /// Accepts the image or says what in it is not acceptable. Entry point, command, user, working directory, health
    /// check and stop signal need no look: the plan sets each of them itself. ONBUILD acts in builds only.
    package func bound(to image: ImageFacts) -> Result<BoundPlan, Denial> {
        func refuse(_ text: String) -> Result<BoundPlan, Denial> { .failure(Denial(.image, "shape.image", text)) }
        guard image.operatingSystem == "linux" else { return refuse("the image is not for linux") }
        guard image.architecture == platform.rawValue else {
            return refuse("the image is for \(image.architecture.prefix(16)), the request for \(platform.rawValue)")
        }
        // A volume is a directory on the host's disk, mounted where the image likes: over /proc, as it happened.
        guard image.volumes.isEmpty else { return refuse("the image declares volumes") }
        // What the engine lists by label must be what we labelled.
        guard !image.labelKeys.contains(where: { $0.hasPrefix("bulkhead.") }) else {
            return refuse("the image carries labels that begin with bulkhead.")
        }
        guard image.environmentNames.count <= 128, image.environmentNames.allSatisfy(Self.isVariableName) else {
            return refuse("the image's environment is too large or oddly named")
        }
        let ours = Set(environment.map(\.name))
        let cleared = Set(image.environmentNames).subtracting(ours).sorted()
        return .success(BoundPlan(plan: self, imageID: image.id, clearedVariables: cleared))
    }

    private static func isVariableName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3D }
    }
}
