// Zip archives of strangers: what becomes of good ones, and what is refused. Each refusal stands beside something that
// differs in the one point and is taken.

import SourceArchive
import Tar
import Testing

@Suite struct ZipReaderTests {
    typealias Entry = ZipBuilder.Entry

    static func problem(_ entries: Entry...) throws -> ArchiveProblem? {
        try Overlaid(nil, [ZipBuilder(entries).bytes]).problem
    }

    static func problem(
        _ name: String = "d/a", _ text: String = "hello, hello", isPacked: Bool = true,
        _ change: (inout Entry) -> Void
    ) throws -> ArchiveProblem? {
        var entry = Entry(name, text, isPacked: isPacked)
        change(&entry)
        return try problem(Entry("before", "1"), entry, Entry("e/behind", "2"))
    }

    static func zip(_ problem: ZipProblem, _ entry: String = "d/a") -> ArchiveProblem { .zip(problem, entry: entry) }

    static func tar(_ problem: TarProblem, _ entry: String = "d/a") -> ArchiveProblem {
        .archive(TarError(problem, entry: Array(entry.utf8)))
    }

    @Test func infoZipIsRead() throws {
        // Its `run` had the set-user-id bit.
        #expect(
            try Overlaid(nil, [ZipBuilder.infoZip]).members() == [
                "a.txt - 1700000000 hello, artifacts\n", "bin/", "bin/link -> ../a.txt", "bin/deep/",
                "bin/deep/empty - 1700000000 ", "bin/run x 1700000000 #!/bin/sh\n",
            ])
    }

    @Test func streamsAreRead() throws {
        let streamed = String(repeating: "streamed ", count: 20)
        let big = String(repeating: "x", count: 300)
        #expect(
            try Overlaid(nil, [ZipBuilder.pythonStream]).members() == [
                "out/", "out/a.txt - 1700000000 \(streamed)", "out/big x 1700000000 \(big)", "ü - 1700000000 name",
            ])
    }

    @Test func theExactTimeIsTaken() throws {
        var entry = Entry("a", "1")
        entry.extra = [0x55, 0x54, 5, 0, 1, 1, 0xF1, 0x53, 0x65]
        #expect(try Overlaid(nil, [ZipBuilder([entry]).bytes]).members() == ["a - 1700000001 1"])
        // The time of the last reading only.
        entry.extra = [0x55, 0x54, 5, 0, 2, 1, 0xF1, 0x53, 0x65]
        #expect(try Overlaid(nil, [ZipBuilder([entry]).bytes]).members() == ["a - 1700000000 1"])
    }

    @Test func pathsDoNotLeave() throws {
        #expect(try Self.problem("./d//a") { _ in } == nil)
        for name in ["../a", "d/../../a", "/a", "d/.."] {
            #expect(try Self.problem(name) { _ in } == Self.tar(.pathLeaves, name))
        }
        for name in ["d\\a", "..\\a", "d/\u{0}a", ".", ""] {
            #expect(try Self.problem(name) { _ in } == Self.tar(.badPath, name))
        }
    }

    @Test func onlyFilesDirectoriesAndLinksAreTaken() throws {
        for mode: UInt32 in [0, 0o644, 0o100644, 0o107777] { #expect(try Self.problem { $0.mode = mode } == nil) }
        for mode: UInt32 in [0o010644, 0o020644, 0o060644, 0o140644] {
            #expect(try Self.problem { $0.mode = mode } == Self.zip(.device))
            // Elsewhere these bits are something else.
            #expect(
                try Self.problem {
                    $0.mode = mode
                    $0.maker = 0
                } == nil)
        }
        #expect(try Self.problem { $0.mode = 0o040755 } == Self.zip(.badType))
        #expect(try Self.problem { $0.mode = 0o050755 } == Self.zip(.badType))
        #expect(try Self.problem("d/", "") { $0.mode = 0o040755 } == nil)
        #expect(try Self.problem("d/", "") { $0.mode = 0o100644 } == Self.zip(.badType, "d/"))
        #expect(try Self.problem("d/", "x") { $0.mode = 0o040755 } == Self.tar(.dataOnLink, "d/"))
    }

    @Test func whatIsNotSupportedIsRefused() throws {
        #expect(try Self.problem { $0.flags |= 1 << 11 | 1 << 1 } == nil)
        for flag: UInt16 in [1, 1 << 6, 1 << 13] {
            #expect(try Self.problem { $0.flags |= flag } == Self.zip(.encrypted))
        }
        for method: UInt16 in [1, 9, 12, 14, 93, 99] {
            #expect(try Self.problem { $0.method = method } == Self.zip(.method(method)))
        }
    }

    @Test func sizesAndChecksumsAreCompared() throws {
        for isPacked in [true, false] {
            #expect(try Self.problem(isPacked: isPacked) { _ in } == nil)
            #expect(try Self.problem(isPacked: isPacked) { $0.size += 1 } == Self.zip(.wrongSize))
            #expect(try Self.problem(isPacked: isPacked) { $0.size -= 1 } == Self.zip(.wrongSize))
            #expect(try Self.problem(isPacked: isPacked) { $0.checksum ^= 1 } == Self.zip(.wrongChecksum))
        }
        #expect(try Self.problem { $0.packed.removeLast() } == Self.zip(.badData))
        #expect(try Self.problem { $0.packed.append(0) } == Self.zip(.badData))
        #expect(try Self.problem { $0.packed[0] |= 6 } == Self.zip(.badData))
        #expect(try Self.problem { $0.packed = [] } == Self.zip(.badData))
    }

    @Test func theOwnHeaderSaysTheSame() throws {
        let differ = Self.zip(.headersDiffer)
        #expect(try Self.problem { $0.ownName = Array("d/b".utf8) } == differ)
        #expect(try Self.problem { $0.ownMethod = 0 } == differ)
        for wrong: UInt32 in [1, 0] {
            #expect(try Self.problem { $0.ownChecksum = wrong } == differ)
            #expect(try Self.problem { $0.ownSize = wrong } == differ)
            #expect(try Self.problem { $0.ownCompressed = wrong } == differ)
        }
        // A stream does not know yet, but it does not know anything else either.
        func streamed(_ wrong: UInt32) throws -> ArchiveProblem? {
            try Self.problem {
                $0.flags |= 1 << 3
                ($0.ownSize, $0.ownCompressed, $0.ownChecksum) = (wrong, wrong, wrong)
                $0.behind = [UInt8](repeating: 7, count: 16)
            }
        }
        #expect(try streamed(0) == nil)
        #expect(try streamed(1) == differ)
        #expect(try Self.problem { $0.ownSize = .max } == Self.zip(.badRecord))
    }

    @Test func linksStayInside() throws {
        func problem(_ name: String, _ target: String, isPacked: Bool = false) throws -> ArchiveProblem? {
            try Self.problem(name, target, isPacked: isPacked) { $0.mode = 0o120777 }
        }
        #expect(try problem("d/a", "../before") == nil)
        #expect(try problem("d/a", "b/c", isPacked: true) == nil)
        #expect(try problem("d/a", String(repeating: "x", count: 4095), isPacked: true) == nil)
        for target in ["../../a", "/etc/passwd", "b/../../../c", "", "\u{0}", String(repeating: "x", count: 4096)] {
            for isPacked in [true, false] {
                #expect(try problem("d/a", target, isPacked: isPacked) == Self.tar(.linkLeaves))
            }
        }
        #expect(try problem("a", "../a") == Self.tar(.linkLeaves, "a"))
        #expect(try problem("d/", "a") == Self.zip(.badType, "d/"))
    }
}
