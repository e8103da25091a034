// Pools: when each was used last; and devices: which runner has which.

import Foundation
import GRDB
package import Wire

extension StoreTransaction {
    /// A runner of it is given a job, at this time of the house.
    package func noteUse(of pool: Pool, at house: Int64) throws {
        try run(
            """
            INSERT INTO pools (shape, trust, used_at) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET used_at = excluded.used_at
            """, [pool.shape, Int64(pool.trust.rawValue), house])
    }

    /// Pools that were used since then, the latest first, with the time of the last use.
    package func pools(usedSince house: Int64, limit: Int) throws -> [(pool: Pool, usedAt: Int64)] {
        try all(
            "SELECT shape, trust, used_at FROM pools WHERE used_at > ? ORDER BY used_at DESC LIMIT ?", [house, limit]
        ).map { row in
            let pool = Pool(shape: row["shape"], trust: try Self.trust(row["trust"], of: .shape(row["shape"])))
            return (pool, row["used_at"])
        }
    }

    /// Those that were not are not remembered.
    package func forgetPools(usedBefore house: Int64) throws {
        try run("DELETE FROM pools WHERE used_at <= ?", [house])
    }

    // MARK: the house's clock, and its door

    /// The time of the house as it was written last, at most ten seconds ago: a row that begins a wait of days.
    static let houseKept = "(SELECT value FROM meta WHERE key = 'house_ms')"

    package func houseTime() throws -> Int64 { Int64(try count("SELECT value FROM meta WHERE key = 'house_ms'")) }

    package func keepHouseTime(_ house: Int64) throws {
        try run("UPDATE meta SET value = ? WHERE key = 'house_ms'", [house])
    }

    package func isDraining() throws -> Bool { try count("SELECT value FROM meta WHERE key = 'draining'") != 0 }

    package func setDraining(_ draining: Bool) throws {
        try run("UPDATE meta SET value = ? WHERE key = 'draining'", [draining ? 1 : 0])
    }

    // MARK: devices

    /// Each device is leased once: the key of the table says so.
    package func lease(_ devices: [String], to runner: Bytes16) throws {
        for device in devices {
            try run("INSERT INTO leases (device, runner) VALUES (?, ?)", [device, Self.blob(runner.array)])
        }
    }

    package func devices(ofRunner id: Bytes16) throws -> [String] {
        try all("SELECT device FROM leases WHERE runner = ? ORDER BY device", [Self.blob(id.array)]).map {
            $0["device"]
        }
    }
}
