// Quantity: how people write sizes, durations and CPUs, and how they are shown again.

/// Readers for the numbers of a job file. Each answers nil for what it does not understand.
package enum Quantity {
    /// Bytes from `512MiB`, `1GiB`, `64KiB` or a plain number of bytes.
    package static func bytes(_ text: String) -> Int64? {
        scaled(text, units: [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("", 1)])
    }

    /// Seconds from `90s`, `10m`, `2h`, `1d` or a plain number of seconds.
    package static func seconds(_ text: String) -> Int64? {
        scaled(text, units: [("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("", 1)])
    }

    /// Thousandths of a CPU from `2`, `0.5` or `1.25`.
    package static func cpuMillis(_ number: Double) -> Int64? {
        let millis = (number * 1000).rounded()
        return millis.isFinite && abs(millis) < 1e15 ? Int64(millis) : nil
    }

    /// `2` or `0.5`.
    package static func show(cpuMillis millis: Int64) -> String {
        millis % 1000 == 0 ? "\(millis / 1000)" : "\(Double(millis) / 1000)"
    }

    /// `512MiB` for 536870912: the largest unit that divides it.
    package static func show(bytes: Int64) -> String {
        for (unit, size) in [("TiB", Int64(1) << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes >= size && bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes) bytes"
    }

    /// `1h` for 3600: the largest unit that divides it.
    package static func show(seconds: Int64) -> String {
        for (unit, size) in [("d", Int64(86400)), ("h", 3600), ("m", 60)] where seconds >= size && seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }

    private static func scaled(_ text: String, units: [(String, Int64)]) -> Int64? {
        for (unit, size) in units where text.hasSuffix(unit) {
            guard let number = Int64(text.dropLast(unit.count)) else { continue }
            let (product, overflow) = number.multipliedReportingOverflow(by: size)
            return overflow ? nil : product
        }
        return nil
    }
}
