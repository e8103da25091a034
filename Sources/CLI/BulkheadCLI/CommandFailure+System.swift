// CommandFailure+System: what the system said, in its own few words. Foundation's sentences name files that the person
// did not, leave out the cause, and change from one version to the next.

import Foundation
import Posix

extension CommandFailure {
    /// `No such file or directory (ENOENT)`; for an error that has no cause in the system, its kind and number.
    package static func cause(of error: any Error) -> String {
        if error is PosixError || error is HTTPFailure { return "\(error)" }
        let error = error as NSError
        let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
        guard cause.domain == NSPOSIXErrorDomain, let number = Int32(exactly: cause.code) else {
            return "\(cause.domain) \(cause.code)"
        }
        return PosixError.text(of: number)
    }

    /// Where in an answer a value is missing or of another kind: `jobs[0].state`.
    package static func place(of error: any Error) -> String {
        let path: [any CodingKey] =
            switch error as? DecodingError {
            case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?, .dataCorrupted(let context)?:
                context.codingPath
            case .keyNotFound(let key, let context)?: context.codingPath + [key]
            default: []
            }
        return path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}
