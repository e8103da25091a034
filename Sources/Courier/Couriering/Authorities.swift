// Authorities: who is believed about which server is which. Read once, before the daemon confines itself; from then on
// no file of certificates is opened.

import Daemon
import Files
import Posix

package enum Authorities {
    private static let most = 8 << 20

    /// The system's certificates, if it has any there, and those of `more`, which have to be there.
    package static func read(system: String, more: String?) throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            bytes = try Posix.readFile(system, limit: most)
        } catch {
            guard error.isMissing else { throw error }
        }
        if let more { bytes += [UInt8(ascii: "\n")] + (try Posix.readFile(more, limit: most)) }
        return bytes
    }
}
