// Archives that are made to grow, or to break whoever unpacks them.

import Posix
import SourceArchive
import Tar
import TarFixtures
import Testing

@Suite struct BombTests {
    /// A file of `size` zeros in a folder.
    static func zeros(_ size: Int) -> [UInt8] {
        TarBuilder.archive { tar in
            tar.directory("top/")
            tar.file("top/zeros", [UInt8](repeating: 0, count: size))
        }
    }

    static func limits(size: UInt64 = 1 << 30, ratio: UInt64 = 200, grace: UInt64 = 1 << 20) -> ArchiveLimits {
        var limits = ArchiveLimits(size: size)
        (limits.ratio, limits.grace) = (ratio, grace)
        return limits
    }

    @Test func whatGrowsTooMuchIsABomb() throws {
        let bomb = Gzip.pack(Self.zeros(8 << 20))
        #expect(bomb.count < 10_000)
        let repacked = try Repacked(bomb, limits: Self.limits())
        #expect(repacked.problem == .bomb)
        // Not much of it was unpacked before.
        #expect(repacked.bytes.count < 4 << 20)
        #expect(try Repacked(bomb, limits: Self.limits(ratio: 2000)).problem == nil)
        #expect(try Repacked(bomb, limits: Self.limits(grace: 16 << 20)).problem == nil)
    }

    @Test func whatIsTooLargeIsTooLarge() throws {
        var random = SystemRandomNumberGenerator()
        let noise = (0..<(1 << 20)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let input = TarBuilder.archive { tar in
            tar.directory("top/")
            for name in ["a", "b"] { tar.file("top/\(name)", noise) }
        }
        let packed = Gzip.pack(input)
        let limit = UInt64(input.count)
        #expect(try Repacked(packed, limits: Self.limits(size: limit)).problem == nil)
        #expect(
            try Repacked(packed, limits: Self.limits(size: limit - 1)).problem == .tooLarge(limit: limit - 1))
    }

    @Test func manyEntriesAreTooMany() throws {
        var limits = Self.limits(grace: 1 << 30)
        limits.entries = 100
        func archive(_ files: Int) -> [UInt8] {
            Gzip.pack(
                TarBuilder.archive { tar in
                    tar.directory("top/")
                    for number in 0..<files { tar.file("top/\(number)") }
                })
        }
        #expect(try Repacked(archive(99), limits: limits).problem == nil)
        guard case .archive(let error)? = try Repacked(archive(100), limits: limits).problem else {
            Issue.record("not refused")
            return
        }
        #expect(error.problem == .tooManyEntries(limit: 100))
    }

    @Test func gzipIsReadToItsEndAndNotFurther() throws {
        let good = Gzip.pack(ArchiveTests.good)
        #expect(try Repacked(good).problem == nil)
        #expect(try Repacked([]).problem == .cutShort)
        for length in [1, 10, good.count / 2, good.count - 8, good.count - 1] {
            #expect(try Repacked(Array(good[..<length])).problem == .cutShort, "\(length)")
        }
        #expect(try Repacked(good + [0]).problem == .dataAfterEnd)
        #expect(try Repacked(good + good).problem == .dataAfterEnd)
    }

    @Test func whatIsNotGzipIsRefused() throws {
        let good = Gzip.pack(ArchiveTests.good)
        #expect(try Repacked(ArchiveTests.good).problem == .notGzip)
        #expect(try Repacked(Array("<html>Sign in</html>".utf8)).problem == .notGzip)
        // Checksum, then length.
        for place in [good.count - 6, good.count - 2] {
            var changed = good
            changed[place] ^= 1
            #expect(try Repacked(changed).problem == .notGzip)
        }
        // zlib's own format.
        #expect(try Repacked([0x78, 0x9C, 3, 0, 0, 0, 0, 1]).problem == .notGzip)
    }

    @Test func aTarThatIsCutShortInsideIsCutShort() throws {
        let cut = Array(ArchiveTests.good.dropLast(1024))
        #expect(try Repacked(Gzip.pack(cut)).archive == nil)
        #expect(try Repacked(Gzip.pack(Array(cut.dropLast(100)))).archive == nil)
    }

    @Test func afterAProblemNothingIsTaken() throws {
        let sink = try ArchiveSink(into: -1, limits: Self.limits())
        #expect(!sink.take([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))
        #expect(!sink.take(Gzip.pack(ArchiveTests.good)[...]))
        #expect(sink.problem == .notGzip)
        #expect(throws: ArchiveProblem.notGzip) { try sink.finish() }
    }

    @Test func whatCannotBeWrittenIsSaid() throws {
        let sink = try ArchiveSink(into: -1, limits: Self.limits())
        #expect(!sink.take(Gzip.pack(ArchiveTests.good)[...]))
        #expect(sink.problem == .system(.system(call: "write", errno: 9)))
        #expect(throws: ArchiveProblem.self) { try sink.finish() }
    }
}
