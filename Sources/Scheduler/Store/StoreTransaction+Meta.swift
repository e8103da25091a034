// The instance's name and the scheduler's epoch; shapes.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// The instance that this state belongs to; written at the first start. Another one is refused: its
    /// containers carry another label, and we would take all of ours for lost.
    package func claimInstance(_ wanted: String) throws -> String {
        if let found = try one("SELECT value FROM meta WHERE key = 'instance'") {
            let instance: String = found["value"]
            if instance != wanted { throw StoreError.otherInstance(found: instance, wanted: wanted) }
            return instance
        }
        try run("INSERT INTO meta (key, value) VALUES ('instance', ?)", [wanted])
        return wanted
    }

    /// The instance's name, if there has been a start.
    package func instance() throws -> String? {
        try one("SELECT value FROM meta WHERE key = 'instance'").map { $0["value"] }
    }

    /// The next epoch: one for each start, so that what an older life of schedulerd still says can be told apart.
    package func nextEpoch() throws -> UInt64 {
        try run(
            "INSERT INTO meta (key, value) VALUES ('epoch', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1")
        return UInt64(try count("SELECT value FROM meta WHERE key = 'epoch'"))
    }

    /// A write that changes something, whatever else there is to write: its commit shows that the disk takes writes.
    package func touch(at now: Int64) throws {
        try run(
            """
            INSERT INTO meta (key, value) VALUES ('touched', ?)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value
            """, [now])
    }

    /// The key of a shape; a new one is written.
    package func key(of shape: RunnerShape) throws -> Int64 {
        let bytes = Self.blob(try Self.bytes(shape))
        if let row = try one("SELECT id FROM shapes WHERE bytes = ?", [bytes]) { return row["id"] }
        let key = Int64(try count("SELECT value FROM meta WHERE key = 'next_shape'"))
        try run("UPDATE meta SET value = value + 1 WHERE key = 'next_shape'")
        try run("INSERT INTO shapes (id, bytes) VALUES (?, ?)", [key, bytes])
        return key
    }

    /// Looks at so many shapes after this one, and forgets those that nobody uses. The last one that was looked at; nil
    /// if there are no more.
    package func forgetShapes(after last: Int64, limit: Int) throws -> Int64? {
        let keys: [Int64] = try all("SELECT id FROM shapes WHERE id > ? ORDER BY id LIMIT ?", [last, limit]).map {
            $0[0]
        }
        for key in keys {
            try run(
                """
                DELETE FROM shapes WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE shape = ?1)
                AND NOT EXISTS (SELECT 1 FROM runners WHERE shape = ?1)
                AND NOT EXISTS (SELECT 1 FROM pools WHERE shape = ?1)
                """, [key])
        }
        return keys.count == limit ? keys.last : nil
    }

    /// The shape of a key.
    package func shape(_ key: Int64) throws -> RunnerShape {
        guard let row = try one("SELECT bytes FROM shapes WHERE id = ?", [key]) else {
            throw StoreError.damagedRow(DamagedRow(.shape(key), "no shape \(key)"))
        }
        return try Self.message(RunnerShape.self, row["bytes"], of: .shape(key))
    }

    /// The canonical bytes; a value out of bounds is the caller's mistake.
    static func bytes(_ message: some WireMessage) throws -> [UInt8] {
        do {
            return try message.encoded()
        } catch {
            throw StoreError.refused("\(error)")
        }
    }
}
