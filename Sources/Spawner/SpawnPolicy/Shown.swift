// Numbers of a request as people write them in a job file: a denial is read by whoever has to change one.

enum Shown {
    static func count(_ number: UInt64) -> String { "\(number)" }

    /// `2`, `0.5`
    static func cpus(_ millis: UInt64) -> String {
        millis % 1000 == 0 ? "\(millis / 1000)" : "\(Double(millis) / 1000)"
    }

    /// `512MiB`: the largest unit that divides it.
    static func size(_ bytes: UInt64) -> String {
        for (unit, size) in [("TiB", UInt64(1) << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes >= size && bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes) bytes"
    }
}
