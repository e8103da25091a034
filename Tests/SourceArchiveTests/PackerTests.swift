// What a job leaves, in the forms in which it is sent. Tests/Integration/test_artifacts.py has them read by others.

import SourceArchive
import Tar
import TarFixtures
import Testing

@Suite struct PackerTests {
    static let tree = TarBuilder.archive { tar in
        tar.file("README", Array("hello, hello, hello".utf8))
        tar.directory("bin/")
        tar.file("bin/run", Array("#!".utf8), mode: "0004755")
        tar.symbolicLink("bin/go", to: "../README")
        tar.hardLink("COPY", to: "README")
        tar.file("ä/empty")
    }

    static let members = [
        "README - 1700000000 hello, hello, hello", "bin/", "bin/run x 1700000000 #!", "bin/go -> ../README",
        "COPY - 1700000000 hello, hello, hello", "ä/", "ä/empty - 1700000000 ",
    ]

    @Test(arguments: [0xFFFF_FFFF, 200, 1] as [UInt64])
    func zipsAreWhatTheyWere(_ wide: UInt64) throws {
        let packed = try Packed(Self.tree, .zip, wide: wide)
        let artifacts = try #require(packed.artifacts)
        #expect((artifacts.size, artifacts.entries) == (UInt64(packed.bytes.count), 7))
        let overlaid = try Overlaid(nil, [packed.bytes])
        #expect(overlaid.problem == nil)
        #expect(try overlaid.members() == Self.members)
    }

    /// What the first name of the directory says to GitLab.
    @Test func zipsSayWhatUnixSays() throws {
        let bytes = try Packed(Self.tree, .zip).bytes
        var rest = bytes[...]
        var found: [String: UInt32] = [:]
        while let start = rest.indices.dropLast(46).first(where: { rest[$0...].prefix(4) == [0x50, 0x4B, 1, 2] }) {
            let record = rest[start...]
            func number(_ place: Int, _ count: Int) -> UInt32 {
                record[(start + place)...].prefix(count).reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
            #expect(number(4, 2) >> 8 == 3)
            // UTF-8.
            #expect(number(8, 2) & 1 << 11 != 0)
            let name = record[(start + 46)...].prefix(Int(number(28, 2)))
            found[String(decoding: name, as: UTF8.self)] = number(38, 4) >> 16
            rest = rest[(start + 46)...]
        }
        #expect(
            found == [
                "README": 0o100644, "bin/": 0o040755, "bin/run": 0o100755, "bin/go": 0o120777, "COPY": 0o100644,
                "ä/": 0o040755, "ä/empty": 0o100644,
            ])
    }

    @Test func gzipHasAMemberForEachFile() throws {
        let files = TarBuilder.archive { tar in
            tar.directory("reports/")
            tar.file("reports/one.xml", Array("<one/>".utf8))
            tar.file("two.xml")
            tar.file("three.xml", [UInt8](repeating: 51, count: 300_000))
        }
        let packed = try Packed(files, .gzip)
        #expect(packed.artifacts?.size == UInt64(packed.bytes.count))
        #expect(packed.artifacts?.entries == 3)
        #expect(
            Gzip.members(packed.bytes) == [Array("<one/>".utf8), [], [UInt8](repeating: 51, count: 300_000)])
        // The name, and the path as the comment.
        #expect(packed.bytes[10...].starts(with: Array("one.xml\u{0}reports/one.xml\u{0}".utf8)))
        #expect(try Packed(Self.tree, .gzip).problem == .linkAmongFiles)
    }

    @Test func rawIsOneFile() throws {
        let one = TarBuilder.archive { tar in
            tar.directory("d/")
            tar.file("d/a", Array("as it is".utf8))
        }
        let packed = try Packed(one, .raw)
        #expect(packed.bytes == Array("as it is".utf8))
        #expect(packed.artifacts?.size == 8)
        #expect(packed.artifacts?.entries == 1)
        let two = TarBuilder.archive { tar in
            tar.file("a")
            tar.file("b")
        }
        #expect(try Packed(two, .raw).problem == .severalFiles)
        #expect(try Packed(TarBuilder.archive { $0.symbolicLink("a", to: "b") }, .raw).problem == .linkAmongFiles)
    }

    @Test(arguments: [ArtifactFormat.zip, .gzip, .raw])
    func nothingIsNothing(_ format: ArtifactFormat) throws {
        let packed = try Packed(TarBuilder.archive { $0.directory("./") }, format)
        #expect(packed.artifacts?.entries == 0)
        #expect(try Packed(TarBuilder.archive { $0.file("a") }, format).artifacts?.entries == 1)
    }

    @Test func theRunnersTarMayBeAnything() throws {
        func problem(_ build: (inout TarBuilder) -> Void) throws -> ArchiveProblem? {
            try Packed(TarBuilder.archive(build), .zip).problem
        }
        #expect(try problem { $0.file("a", [1]) } == nil)
        #expect(try problem { $0.file("../a", [1]) } == ZipReaderTests.tar(.pathLeaves, "../a"))
        #expect(
            try problem { $0.raw(TarBuilder.header(Array("a".utf8), type: "3")) } == ZipReaderTests.tar(.device, "a"))
        #expect(try problem { $0.symbolicLink("l", to: "/etc") } == ZipReaderTests.tar(.linkLeaves, "l"))
        #expect(try Packed([], .zip).problem == .archive(TarError(.noEndMarker)))
        let size = UInt64(Self.tree.count)
        #expect(try Packed(Self.tree, .zip, limits: ArchiveLimits(size: size)).problem == nil)
        #expect(
            try Packed(Self.tree, .zip, limits: ArchiveLimits(size: size - 1)).problem == .tooLarge(limit: size - 1))
        #expect(try Packed(Self.tree.dropLast(1024) + [1], .zip).artifacts == nil)
    }

    /// A file with many names would be sent as often.
    @Test func manyNamesAreManyFiles() throws {
        func problem(names: Int) throws -> ArchiveProblem? {
            let tar = TarBuilder.archive { tar in
                tar.file("a", [UInt8](repeating: 1, count: 10_000))
                for name in 0..<names { tar.hardLink("l\(name)", to: "a") }
            }
            return try Packed(tar, .zip, limits: ArchiveLimits(size: 100_000)).problem
        }
        #expect(try problem(names: 9) == nil)
        #expect(try problem(names: 10) == .tooLarge(limit: 100_000))
    }

    @Test(arguments: [ArtifactFormat.zip, .gzip, .raw])
    func nothingTakesLong(_ format: ArtifactFormat) throws {
        let tar = TarBuilder.archive { $0.file("a", [UInt8](repeating: 1, count: 8 << 20)) }
        let packed = try Packed(tar, format)
        #expect(packed.artifacts?.entries == 1)
        // 8 MiB to look through, and to pack.
        #expect(packed.steps > 32 + 32)
    }
}
