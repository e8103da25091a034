// OperatorKey: the key with which a person gives orders to brokerd, from a file that the person named or that
// `bulkhead up` left.

import Foundation
import Orders
import Posix

enum OperatorKey {
    /// Reads a key file. It must be readable for its owner alone.
    static func read(_ path: String) throws -> KeyFile {
        let (directory, name) = split(path)
        guard let bytes = try Folder(directory).read(name, limit: 4096, secret: true) else {
            throw CommandFailure("there is no key file \(path); mend --key or BULKHEAD_KEY", exit: .usage)
        }
        return try parsed(String(decoding: bytes, as: UTF8.self), path: path)
    }

    static func parsed(_ text: String, path: String) throws -> KeyFile {
        do {
            return try KeyFile(parsing: text)
        } catch {
            throw CommandFailure("\(path) is not a key file: \(error)", exit: .usage)
        }
    }

    /// The directory and the name of a path, links in it followed.
    static func split(_ path: String) -> (directory: String, name: String) {
        let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        return (url.deletingLastPathComponent().path, url.lastPathComponent)
    }
}
