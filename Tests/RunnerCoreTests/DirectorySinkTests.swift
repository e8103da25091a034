// Unpacking on a real disk: what arrives is there, and nothing is ever written outside, whatever links lie on the way.

import Files
import Posix
import Processes
import RunnerCore
import Tar
import TarFixtures
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
        let error = try Self.unpack(
            root,
            TarBuilder.archive {
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
        let error = try Self.unpack(
            root,
            TarBuilder.archive {
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
        let error = try Self.unpack(
            root,
            TarBuilder.archive {
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

    /// What stands in the way of a member, and the member.
    enum Obstacle: String, CaseIterable {
        case fileAsDirectory, directoryAsFile, linkAsDirectory, linkOnTheWay, hardLinkToNothing, hardLinkBelowNothing
        case hardLinkToDirectory, hardLinkToLink, hardLinkToItself

        func build(_ tar: inout TarBuilder) {
            switch self {
            case .fileAsDirectory:
                tar.file("a")
                tar.file("a/b")
            case .directoryAsFile:
                tar.directory("a")
                tar.file("a")
            case .linkAsDirectory:
                tar.symbolicLink("a", to: "b")
                tar.directory("a")
            case .linkOnTheWay:
                tar.symbolicLink("a", to: "b")
                tar.file("a/x")
            case .hardLinkToNothing: tar.hardLink("a", to: "nothing")
            case .hardLinkBelowNothing: tar.hardLink("a", to: "no/thing")
            case .hardLinkToDirectory:
                tar.directory("d")
                tar.hardLink("a", to: "d")
            case .hardLinkToLink:
                tar.symbolicLink("l", to: "x")
                tar.hardLink("a", to: "l")
            case .hardLinkToItself:
                tar.file("a", [1])
                tar.hardLink("a", to: "a")
            }
        }

        var problem: TarProblem {
            switch self {
            case .fileAsDirectory: .notADirectory
            case .directoryAsFile: .directoryInTheWay
            case .linkAsDirectory, .linkOnTheWay: .pathThroughLink
            case .hardLinkToNothing, .hardLinkBelowNothing, .hardLinkToItself: .linkTargetMissing
            case .hardLinkToDirectory, .hardLinkToLink: .linkToNonFile
            }
        }
    }

    @Test(arguments: Obstacle.allCases)
    func thingsInTheWay(_ obstacle: Obstacle) throws {
        let root = try TestDirectory()
        #expect(try Self.unpack(root, TarBuilder.archive { obstacle.build(&$0) })?.problem == obstacle.problem)
        try Self.expectOutsideUntouched(root)
    }

    /// The corpus once more, on a disk: whatever an archive says, nothing outside changes.
    @Test func noHostileArchiveTouchesAnythingOutside() throws {
        // The two whose limits are the reader test's own are whole archives otherwise.
        for bad in TarCorpus.all where bad.problem != .tooManyEntries(limit: 50) {
            let root = try TestDirectory()
            #expect(try Self.unpack(root, bad.bytes) != nil, "\(bad)")
            try Self.expectOutsideUntouched(root)
        }
    }

    /// What the tar(1) of the machine makes arrives as it was.
    @Test(
        .enabled(if: (try? Posix.lstat("/usr/bin/tar")) != nil, "needs tar"), arguments: ["ustar", "gnu", "pax"])
    func archivesOfARealTar(format: String) throws {
        let root = try TestDirectory()
        let name = String(repeating: "n", count: 90)
        let script = """
            mkdir -p tree/d/\(name)/\(name); cd tree; seq 1 30000 > d/seq; ln -s d/seq link; ln d/seq hard
            echo deep > d/\(name)/\(name)/f; chmod +x d/seq; tar --format=\(format) -cf ../tar .
            """
        let pid = try Posix.spawn(
            ChildSpec(
                executable: "/bin/sh", arguments: ["sh", "-e", "-c", script], environment: ["PATH=/usr/bin:/bin"],
                workingDirectory: root.path))
        try #require(Posix.wait(pid: pid) == .exited(0))
        let archive = try Posix.readFile(root.path + "/tar", limit: 64 << 20)
        #expect(try Self.unpack(root, archive) == nil)
        #expect(try root.read("in/hard") == root.read("tree/d/seq"))
        #expect(try root.read("in/link") == root.read("tree/d/seq"))
        #expect(try root.read("in/d/\(name)/\(name)/f") == "deep\n")
        #expect(try Posix.lstat(root.path + "/in/d/seq").mode == 0o755)
        let made = try Posix.lstat(root.path + "/tree/d/seq").modified
        #expect(try Posix.lstat(root.path + "/in/d/seq").modified == made)
    }
}
