// The history of a job, one line for each thing that happened to it, for whoever asks why.

import Foundation
import GRDB

/// One row of `happenings`. Milliseconds since 1970.
package struct Happening: Equatable, Sendable {
    package let atMs: Int64
    package let text: String
}

extension StoreTransaction {
    /// What one job may have of them: an engine that is down for a night must not fill the disk.
    package static let happeningsKept = 100

    package func note(job id: UInt64, _ text: String, at now: Int64) throws {
        try run(
            "INSERT INTO happenings (job, at_ms, text) VALUES (?, ?, ?)", [Self.key(id), now, Self.line(text)])
    }

    /// Oldest first.
    package func happenings(ofJob id: UInt64) throws -> [Happening] {
        try all(
            "SELECT at_ms, text FROM happenings WHERE job = ? ORDER BY id DESC LIMIT \(Self.happeningsKept)",
            [Self.key(id)]
        ).reversed().map { Happening(atMs: $0["at_ms"], text: $0["text"]) }
    }

    /// The oldest go when there are too many.
    package func trimHappenings(ofJob id: UInt64) throws {
        try run(
            """
            DELETE FROM happenings WHERE job = ?1 AND id <= (SELECT id FROM happenings WHERE job = ?1
                ORDER BY id DESC LIMIT 1 OFFSET \(Self.happeningsKept))
            """, [Self.key(id)])
    }

    /// At most 256 bytes, cut between characters; the wire's bound.
    static func line(_ text: String, _ most: Int = 256) -> String {
        if text.utf8.count <= most { return text }
        var line = ""
        for character in text.unicodeScalars {
            if line.utf8.count + UTF8.width(character) > most { break }
            line.unicodeScalars.append(character)
        }
        return line
    }
}
