// Trees that a step may have left, packed in this process.

import Files
import Glibc
import Posix
import RunnerCore
import Tar
import Testing
import Wire

@Suite struct ArtifactPackerTests {
    static let all = ArtifactRule(["**"])

    static func packer(
        _ directory: TestDirectory, _ rule: ArtifactRule = all, limits: TarLimits = TarLimits()
    ) throws -> ArtifactPacker {
        ArtifactPacker(rule, source: try Posix.open(directory.path, [.readOnly, .directory]), limits: limits)
    }

    /// All of its pieces.
    static func bytes(_ packer: ArtifactPacker, most: Int = 32_768) -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = packer.next(most: most) { bytes += piece }
        return bytes
    }

    /// What TarReader says of an archive, by the names of the members.
    static func members(_ archive: [UInt8]) throws -> [String] {
        var reader = TarReader(into: RecordingSink())
        try reader.consume(archive[...])
        try reader.finish()
        return reader.sink.log.filter { !$0.hasPrefix("content") }.map {
            // Without the time.
            let words = $0.split(separator: " ")
            return (words[0] == "file" || words[0] == "program" ? words.dropLast()[...] : words[...])
                .joined(separator: " ")
        }.sorted()
    }

    private func tree() throws -> TestDirectory {
        let directory = try TestDirectory()
        for name in ["build", "build/empty", "src"] { try Posix.mkdir("\(directory.path)/\(name)", mode: 0o755) }
        try directory.write("build/out", "result")
        try directory.write("build/none", "")
        try directory.write("build/tool", "#!/bin/sh\n")
        try Posix.chmod("\(directory.path)/build/tool", 0o6755)
        try directory.write("src/main.c", "int main;")
        try Posix.symlink("out", "\(directory.path)/build/latest")
        return directory
    }

    @Test(arguments: [1, 511, 32_768]) func aTreeOfEverything(most: Int) throws {
        let directory = try tree()
        defer { withExtendedLifetime(directory) {} }
        let packer = try Self.packer(directory, ArtifactRule(["build/", "*/*.c"]))
        let archive = Self.bytes(packer, most: most)
        #expect(
            try Self.members(archive) == [
                "directory build", "directory build/empty", "file build/none 0", "file build/out 6",
                "file src/main.c 9", "link build/latest -> out", "program build/tool 10",
            ])
        #expect(packer.files == 7 && packer.problem.text == "")
        let set = archive.firstRange(of: Array("0006755".utf8))
        #expect(set == nil, "set-id bits are dropped")
        #expect(archive.firstRange(of: Array("0000755".utf8)) != nil)
    }

    @Test func whatFitsNothingHasNoByte() throws {
        let directory = try tree()
        let packer = try Self.packer(directory, ArtifactRule(["none/**", "*.o"]))
        defer { withExtendedLifetime(directory) {} }
        #expect(Self.bytes(packer) == [] && packer.files == 0 && packer.problem.text == "")
    }

    @Test func longNamesAndStrangeOnes() throws {
        let directory = try TestDirectory()
        defer { withExtendedLifetime(directory) {} }
        var path = directory.path
        for _ in 0..<6 {
            path += "/" + String(repeating: "d", count: 60)
            try Posix.mkdir(path, mode: 0o755)
        }
        let strange = path + "/new\nline"
        try Posix.mkdir(strange, mode: 0o755)
        // Not UTF-8.
        let name = (Array((strange + "/").utf8) + [0xFF, 0xFE, 0]).map { CChar(bitPattern: $0) }
        let fd = Glibc.open(name, O_WRONLY | O_CREAT, 0o644)
        try #require(fd >= 0)
        close(fd)
        defer { Glibc.unlink(name) }
        let packer = try Self.packer(directory)
        var reader = TarReader(into: RecordingSink())
        try reader.consume(Self.bytes(packer)[...])
        try reader.finish()
        #expect(packer.files == 8 && reader.entries == 8 && packer.problem.text == "")
    }

    // MARK: - Traps

    /// Nothing that a link leads to is in it; the control is a link that stays inside.
    @Test func linksAreNotFollowed() throws {
        let outside = try TestDirectory()
        defer { withExtendedLifetime(outside) {} }
        try outside.write("secret", "canary-outside")
        let directory = try TestDirectory()
        defer { withExtendedLifetime(directory) {} }
        try Posix.mkdir("\(directory.path)/below", mode: 0o755)
        try directory.write("below/file", "inside")
        let links = [
            "absolute": outside.path, "file": "\(outside.path)/secret",
            "up": "../\(outside.path.split(separator: "/").last!)",
            "inside": "below/file", "loop": "loop",
        ]
        for (name, target) in links { try Posix.symlink(target, "\(directory.path)/\(name)") }
        let rule = ArtifactRule(["**", "absolute/secret", "up/*", "inside"])
        let packer = try Self.packer(directory, rule)
        let archive = Self.bytes(packer)
        #expect(archive.firstRange(of: Array("canary".utf8)) == nil)
        #expect(
            try Self.members(archive) == [
                "directory below", "file below/file 6", "link inside -> below/file", "link loop -> loop",
            ])
        #expect(packer.problem.text.hasSuffix("is left out: link leaves the directory (and 2 more)"))
        // A path below a link alone.
        let through = try Self.packer(directory, ArtifactRule(["absolute/secret", "up/secret"]))
        #expect(Self.bytes(through) == [] && through.problem.text == "")
    }

    /// Opened, a FIFO would stop the runner, and some devices do things.
    @Test func whatIsNoFileIsLeftOut() throws {
        let directory = try TestDirectory()
        defer { withExtendedLifetime(directory) {} }
        try directory.write("good", "x")
        #expect(mkfifo("\(directory.path)/fifo", 0o666) == 0)
        if Posix.userID == 0 {
            _ = mknod("\(directory.path)/zero", S_IFCHR | 0o666, 1 << 8 | 5)
        }
        let packer = try Self.packer(directory)
        #expect(try Self.members(Self.bytes(packer)) == ["file good 1"])
        #expect(packer.problem.text.contains("is left out: devices and FIFOs are not allowed"))
        #expect(packer.files == 1)
    }

    /// The header says a size, and so many bytes follow.
    @Test(arguments: [10_000, 200_000]) func aFileThatShrinksOrGrows(size: Int) throws {
        let directory = try TestDirectory()
        defer { withExtendedLifetime(directory) {} }
        try directory.write("file", String(repeating: "x", count: 100_000))
        let packer = try Self.packer(directory)
        var archive: [UInt8] = []
        while archive.isEmpty { archive += packer.next(most: 600) ?? [] }
        #expect(truncate("\(directory.path)/file", size) == 0)
        archive += Self.bytes(packer)
        #expect(try Self.members(archive) == ["file file 100000"])
        let shrunk = "'file' shrank while it was read, and ends in zeros"
        #expect(packer.problem.text == (size < 100_000 ? shrunk : ""))
        #expect(packer.files == 1)
    }

    @Test func aTreeThatIsTooDeepOrTooLarge() throws {
        let directory = try TestDirectory()
        defer { withExtendedLifetime(directory) {} }
        var path = directory.path
        for _ in 0..<210 {
            path += "/d"
            try Posix.mkdir(path, mode: 0o755)
        }
        let deep = try Self.packer(directory)
        #expect(try Self.members(Self.bytes(deep)).count == TarPath.deepest)
        #expect(deep.problem.text.contains("is left out: path is empty, too long or not acceptable"))
        var limits = TarLimits()
        limits.entries = 10
        let many = try Self.packer(directory, limits: limits)
        #expect(try Self.members(Self.bytes(many)).count == 10 && many.files == 10)
        #expect(many.problem.text == "'*' is left out: more than 10 entries")
    }

    /// A moment's work is bounded, whatever lies there.
    @Test func othersHaveTheirTurn() throws {
        let directory = try TestDirectory()
        defer { withExtendedLifetime(directory) {} }
        for number in 0..<300 { try directory.write("file\(number)", "") }
        let packer = try Self.packer(directory, ArtifactRule(["none"]))
        var turns = 0
        while packer.next(most: 32_768) != nil { turns += 1 }
        #expect(turns >= 4)
    }

    @Test func patternsThatLeadOutAreNamed() throws {
        let directory = try tree()
        let packer = try Self.packer(directory, ArtifactRule(["/etc/passwd", "../x", "src"], exclude: ["/"]))
        defer { withExtendedLifetime(directory) {} }
        #expect(try Self.members(Self.bytes(packer)) == ["directory src", "file src/main.c 9"])
        #expect(packer.problem.text == "'/etc/passwd' leads out of the source directory (and 2 more)")
    }
}
