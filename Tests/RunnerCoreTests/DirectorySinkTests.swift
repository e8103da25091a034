// Unpacking on a real disk: what arrives is there, and nothing is ever written outside, whatever links lie on the way.

import Posix
import RunnerCore
import Testing

@Suite struct DirectorySinkTests {
    /// Unpacks into `root/in`; `root/outside` holds a file that must stay what it is.
    static func unpack(_ root: TestDirectory, _ bytes: [UInt8]) throws -> TarError? {
        if (try? Posix.lstat(root.path + "/in")) == nil {
            try Posix.mkdir(root.path + "/in", mode: 0o755)
            try Posix.mkdir(root.path + "/outside", mode: 0o755)
            try root.write("outside/secret", "untouched")
        }
        let directory = try Posix.open(root.path + "/in", [.readOnly, .directory])
        var reader = TarReader(into: DirectorySink(root: directory))
        do throws(TarError) {
            try reader.consume(bytes[...])
            try reader.finish()
        } catch {
            return error
        }
        return nil
    }

    static func expectOutsideUntouched(_ root: TestDirectory) throws {
        #expect(try Posix.directoryEntries(root.path + "/outside") == ["secret"])
        #expect(try root.read("outside/secret") == "untouched")
        #expect(try Posix.directoryEntries(root.path) == ["in", "outside"])
    }

    @Test func filesDirectoriesAndLinksArrive() throws {
        let root = try TestDirectory()
        let content = [UInt8]((0..<70_000).map { UInt8(truncatingIfNeeded: $0) })
        let error = try Self.unpack(root, TarBuilder.archive {
            $0.directory("a/b/")
            $0.file("a/b/big", content)
            $0.file("run.sh", Array("#!/bin/sh\n".utf8), mode: "0006777")
            $0.symbolicLink("a/link", to: "b/big")
            $0.hardLink("hard", to: "a/b/big")
            $0.file("c/d/deep", Array("x".utf8))
        })
        #expect(error == nil)
        #expect(try Posix.readFile(root.path + "/in/a/b/big", limit: 1 << 20) == content)
        #expect(try Posix.readFile(root.path + "/in/a/link", limit: 1 << 20) == content)
        #expect(try Posix.readFile(root.path + "/in/hard", limit: 1 << 20) == content)
        #expect(try root.read("in/c/d/deep") == "x")
        #expect(try Posix.lstat(root.path + "/in/run.sh").mode & 0o7777 == 0o755, "setuid and foreign writers are gone")
        #expect(try Posix.lstat(root.path + "/in/c/d/deep").mode & 0o7777 == 0o644)
    }

    @Test func laterMembersReplaceEarlierOnes() throws {
        let root = try TestDirectory()
        let error = try Self.unpack(root, TarBuilder.archive {
            $0.file("x", Array("one".utf8))
            $0.hardLink("y", to: "x")
            $0.file("x", Array("two".utf8))
            $0.symbolicLink("z", to: "y")
            $0.file("z", Array("three".utf8))
        })
        #expect(error == nil)
        #expect(try root.read("in/x") == "two")
        #expect(try root.read("in/y") == "one", "the name was replaced, not the file behind it")
        #expect(try root.read("in/z") == "three")
    }

    /// Somebody outside put the link there: the archive's own cannot lead out (TarCorpus).
    @Test(arguments: ["file", "directory", "link", "hard"])
    func aLinkOnTheWayIsNotFollowed(kind: String) throws {
        let root = try TestDirectory()
        _ = try Self.unpack(root, TarBuilder.archive { _ in })
        try Posix.symlink("../outside", root.path + "/in/way")
        let error = try Self.unpack(root, TarBuilder.archive {
            switch kind {
            case "file": $0.file("way/x", [1])
            case "directory": $0.directory("way/x")
            case "link": $0.symbolicLink("way/x", to: "y")
            default: $0.hardLink("stolen", to: "way/secret")
            }
        })
        #expect(error?.problem == .pathThroughLink)
        try Self.expectOutsideUntouched(root)
    }

    @Test func aLinkAtTheEndIsReplacedNotWrittenThrough() throws {
        let root = try TestDirectory()
        _ = try Self.unpack(root, TarBuilder.archive { _ in })
        try Posix.symlink("../outside/secret", root.path + "/in/x")
        #expect(try Self.unpack(root, TarBuilder.archive { $0.file("x", Array("mine".utf8)) }) == nil)
        #expect(try root.read("in/x") == "mine")
        try Self.expectOutsideUntouched(root)
    }

    @Test func thingsInTheWay() throws {
        func problem(_ build: (inout TarBuilder) -> Void) throws -> TarProblem? {
            try Self.unpack(TestDirectory(), TarBuilder.archive(build))?.problem
        }
        #expect(try problem { $0.file("a"); $0.file("a/b") } == .notADirectory)
        #expect(try problem { $0.directory("a"); $0.file("a") } == .directoryInTheWay)
        #expect(try problem { $0.symbolicLink("a", to: "b"); $0.directory("a") } == .pathThroughLink)
        #expect(try problem { $0.symbolicLink("a", to: "b"); $0.file("a/x") } == .pathThroughLink)
        #expect(try problem { $0.hardLink("a", to: "nothing") } == .linkTargetMissing)
        #expect(try problem { $0.hardLink("a", to: "no/thing") } == .linkTargetMissing)
        #expect(try problem { $0.directory("d"); $0.hardLink("a", to: "d") } == .linkToNonFile)
        #expect(try problem { $0.symbolicLink("l", to: "x"); $0.hardLink("a", to: "l") } == .linkToNonFile)
        #expect(try problem { $0.file("a", [1]); $0.hardLink("a", to: "a") } == .linkTargetMissing)
    }

    /// The corpus once more, on a disk: whatever an archive says, nothing outside changes.
    @Test func noHostileArchiveTouchesAnythingOutside() throws {
        for bad in TarCorpus.all where bad.bytes.count < 100_000 {
            let root = try TestDirectory()
            #expect(try Self.unpack(root, bad.bytes) != nil || bad.problem == .tooManyEntries(limit: 50) || bad.problem == .fileTooLarge(limit: 1 << 20), "\(bad)")
            try Self.expectOutsideUntouched(root)
        }
    }
}
