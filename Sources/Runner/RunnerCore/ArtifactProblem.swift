// Why an artifact is not whole, in the words of its record.

import Tar

package struct ArtifactProblem {
    /// Bounds of ArtifactEnded in runner.wire.
    package static let longest = 256

    private var first: String?
    private var more = 0

    package init() {}

    /// What it is about, and what is the matter. Names are hostile: no byte of them is shown as it is, unless it is
    /// printable ASCII.
    package mutating func add(_ name: [UInt8], _ what: String) {
        if first == nil { first = "'\(TarError.printable(name))' \(what)" } else { more += 1 }
    }

    package var text: String {
        guard let first else { return "" }
        let rest = more == 0 ? "" : " (and \(more) more)"
        return String(first.prefix(Self.longest - rest.utf8.count)) + rest
    }
}
