// Quantity: how people write numbers, and how they are shown again.

import JobModel
import Testing

struct QuantityTests {
    @Test(
        arguments: [
            ("0", 0), ("17", 17), ("1KiB", 1024), ("512MiB", 512 << 20), ("3GiB", 3 << 30), ("2TiB", 2 << 40),
            ("-1KiB", -1024),
            ("8388607TiB", 8_388_607 << 40),
        ] as [(String, Int64)])
    func bytes(_ text: String, _ number: Int64) {
        #expect(Quantity.bytes(text) == number)
    }

    @Test(arguments: [
        "", "x", "MiB", "1MB", "1M", "1mib", "1 MiB", " 1MiB", "1MiB ", "1.5GiB", "0x10", "1e3", "--1", "8388608TiB",
        "99999999999999999999", "１MiB",
    ])
    func noBytes(_ text: String) {
        #expect(Quantity.bytes(text) == nil)
    }

    @Test(arguments: [("5", 5), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)] as [(String, Int64)])
    func seconds(_ text: String, _ number: Int64) {
        #expect(Quantity.seconds(text) == number)
    }

    @Test(arguments: ["", "s", "1h30m", "1.5h", "10 m", "10min", "106751991167301d", "ten"])
    func noSeconds(_ text: String) {
        #expect(Quantity.seconds(text) == nil)
    }

    @Test func cpus() {
        #expect(Quantity.cpuMillis(0.5) == 500 && Quantity.cpuMillis(2) == 2000 && Quantity.cpuMillis(0.0004) == 0)
        for number in [Double.nan, .infinity, -.infinity, 1e300] { #expect(Quantity.cpuMillis(number) == nil) }
    }

    @Test func shownAgain() {
        for bytes in [0, 1, 1023, 1024, 1025, 1 << 20, 5 << 20, 1 << 30, 3 << 40] as [Int64] {
            let shown = Quantity.show(bytes: bytes)
            #expect(Quantity.bytes(shown.replacingSuffix(" bytes")) == bytes, "\(shown)")
        }
        for seconds in [0, 1, 59, 60, 90, 3600, 86400, 604_800] as [Int64] {
            #expect(Quantity.seconds(Quantity.show(seconds: seconds)) == seconds)
        }
        #expect(Quantity.show(bytes: 512 << 20) == "512MiB" && Quantity.show(seconds: 604_800) == "7d")
        #expect(Quantity.show(cpuMillis: 2000) == "2" && Quantity.show(cpuMillis: 1250) == "1.25")
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
