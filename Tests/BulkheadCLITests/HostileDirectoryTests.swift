// Root in a directory that belongs to a daemon, which may have been taken over: what it finds there may be a link in
// the next moment. Nothing outside is read, given away or overwritten.

import BulkheadCLI
import Files
import Foundation
import Posix
import Testing

@Suite struct HostileDirectoryTests {
    private let folder: TestFolder
    /// The daemon's directory, and one of somebody else.
    private let daemons: String
    private let others: String

    init() throws {
        folder = try TestFolder()
        daemons = try folder.make("daemon")
        others = try folder.make("others")
    }

    private func link(_ name: String, to path: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(daemons)/\(name)", withDestinationPath: path)
    }

    @Test func whatIsReadIsWhatWasLookedAt() throws {
        try folder.write("daemon/current", "the daemon's")
        try folder.write("others/file", "somebody else's")
        try link("link", to: others + "/file")
        let folder = try Folder(daemons)
        let stolen = Array("somebody else's".utf8)
        var got: [UInt8]?
        let path = daemons + "/current"
        let (control, hit) = try Swapping.attack(
            path, daemons + "/link",
            naive: {
                guard try Posix.lstat(path).kind == .regular else { return }
                got = try Posix.readFile(path, limit: 100)
            },
            good: {
                got = nil
                got = try folder.read("current", limit: 100, secret: true)
            },
            isHit: { got == stolen })
        #expect(control && !hit)
    }

    @Test func whatIsNoFileIsNotRead() throws {
        try folder.write("others/file", "x")
        try link("link", to: others + "/file")
        #expect(mkfifo(daemons + "/pipe", 0o600) == 0)
        _ = try folder.make("daemon/directory")
        try folder.write("daemon/large", "four", mode: 0o600)
        try folder.write("daemon/open", "x", mode: 0o602)
        let folder = try Folder(daemons)
        for name in ["link", "pipe", "directory", "open"] {
            #expect(throws: CommandFailure.self, "\(name)") { try folder.read(name, limit: 100, secret: false) }
        }
        #expect(throws: CommandFailure.self) { try folder.read("large", limit: 3, secret: true) }
        #expect(try folder.read("large", limit: 4, secret: true) == Array("four".utf8))
        #expect(try folder.read("nothing", limit: 4, secret: true) == nil)
    }

    @Test func onlyTheDirectoryGetsItsMode() throws {
        _ = try folder.make("daemon/master")
        try link("link", to: others)
        let path = daemons + "/master"
        let (control, hit) = try Swapping.attack(
            path, daemons + "/link",
            naive: {
                try Posix.mkdir(path, mode: 0o711, existing: true)
                try Posix.chmod(path, 0o711)
            },
            good: { try StateDirectory.make(path, mode: 0o711) },
            isHit: {
                defer { try? Posix.chmod(others, 0o700) }
                return try Posix.lstat(others).mode != 0o700
            })
        #expect(control && !hit)
    }

    // MARK: - Grants

    private var grants: GrantDirectory { GrantDirectory(path: daemons, isMount: false, remarks: []) }

    @Test func everythingLeftOfTheGrantsIsOverwritten() throws {
        _ = try folder.make("daemon/runner")
        for name in ["runner/key", "runner/grant", ".masks-1"] {
            try folder.write("daemon/\(name)", "secret", mode: 0o400)
            // Another name of the same file shows what became of it.
            try Posix.link("\(daemons)/\(name)", to: "\(others)/\(name.split(separator: "/").last ?? "")")
        }
        #expect(grants.close() == [])
        for name in ["key", "grant", ".masks-1"] { #expect(try folder.text("others/\(name)") == "", "\(name)") }
        #expect(try Posix.directoryEntries(daemons) == ["runner"])
        #expect(try Posix.directoryEntries(daemons + "/runner").isEmpty)
    }

    @Test func oneThatResistsDoesNotSaveTheOthers() throws {
        _ = try folder.make("daemon/a/directory")
        try folder.write("daemon/a/key", "secret")
        try folder.write("daemon/b", "secret")
        #expect(grants.close().count == 1)
        #expect(!folder.has("daemon/a/key") && !folder.has("daemon/b"))
    }

    @Test func linksLeadNowhere() throws {
        try folder.write("others/file", "precious")
        _ = try folder.make("daemon/runner")
        for name in ["runner/link", "link"] { try link(name, to: others + "/file") }
        try link("directory", to: others)
        #expect(grants.close() == [])
        #expect(try folder.text("others/file") == "precious")
        #expect(try Posix.directoryEntries(daemons) == ["runner"])
    }

    @Test(.enabled(if: Posix.userID == 0, "a file of another user's needs root"))
    func aHardLinkLeadsNowhereEither() throws {
        try folder.write("others/file", "precious")
        try Posix.chown(others + "/file", uid: 65534, gid: 65534)
        try Posix.link(others + "/file", to: daemons + "/file")
        #expect(grants.close() == [])
        #expect(try folder.text("others/file") == "precious" && !folder.has("daemon/file"))
    }

    @Test func aLinkInThePlaceOfARunnerLeadsNowhere() throws {
        let (runner, link) = (daemons + "/runner", daemons + "/link")
        func lay() throws {
            // The swapping goes on meanwhile: what is there already is as good.
            try? Posix.mkdir(runner, mode: 0o700)
            try? Posix.symlink(others, link)
            if !folder.has("others/file") { try folder.write("others/file", "precious") }
        }
        try lay()
        var isHit = false
        let (control, hit) = try Swapping.attack(
            runner, link,
            naive: {
                try lay()
                defer { isHit = !folder.has("others/file") }
                guard try Posix.lstat(runner).kind == .directory else { return }
                for name in try Posix.directoryEntries(runner) { try Posix.unlink("\(runner)/\(name)") }
            },
            good: {
                try lay()
                defer { isHit = !folder.has("others/file") }
                _ = grants.close()
            },
            isHit: {
                defer { isHit = false }
                return isHit
            })
        #expect(control && !hit)
    }
}
