// Between the words of the wire and those of calls at forges.

import ForgeCalls
import ForgeModel
import Link
import TrustWire
import Wire

extension Commit {
    init(named hex: String) throws(Failure) {
        guard let commit = Commit(hex) else {
            throw Failure(.invalid, "not the whole name of a commit", place: "commit")
        }
        self = commit
    }
}

extension PostedState {
    init(_ state: CourierEdge.StatusState) {
        self =
            switch state {
            // Somebody is waited for, and no forge has a word for it.
            case .pending, .held: .pending
            case .running: .running
            case .success: .success
            case .failure: .failure
            case .error: .error
            case .cancelled: .cancelled
            }
    }
}

extension Permission {
    var wire: ForgePermission {
        switch self {
        case .none: .none
        case .read: .read
        case .write: .write
        case .admin: .admin
        }
    }
}

extension ChangedFiles {
    /// What fits into an answer, and whether something does not.
    var fitting: (files: [String], isCut: Bool) {
        var (files, bytes): ([String], Int) = ([], 0)
        for path in paths.prefix(1024) {
            bytes += path.utf8.count + 2
            guard path.utf8.count <= 1024, bytes <= 48 << 10 else { break }
            files.append(path)
        }
        return (files, files.count < paths.count)
    }
}
