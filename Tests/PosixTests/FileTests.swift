import Endpoints
import Files
import Posix
import Testing

extension Base {
    @Suite struct FileTests {
        @Test func aTemporaryFileIsPublishedWholeOrNotAtAll() throws {
            try withDirectory { path in
                do {
                    let file = try Posix.openTemporary(path)
                    try Posix.writeAll(file.raw, Array("half".utf8))
                    #expect(try Posix.directoryEntries(path).isEmpty)
                }
                #expect(try Posix.directoryEntries(path).isEmpty)
                let file = try Posix.openTemporary(path)
                try Posix.writeAll(file.raw, Array("whole".utf8))
                try Posix.fsync(file.raw)
                try Posix.linkTemporary(file.raw, to: "\(path)/name")
                #expect(try Posix.readFile("\(path)/name", limit: 100) == Array("whole".utf8))
                let second = try Posix.openTemporary(path)
                let raw = second.raw
                #expect(throws: PosixError.system(call: "link \(path)/name", errno: 17)) {
                    try Posix.linkTemporary(raw, to: "\(path)/name")
                }
            }
        }

        @Test func aReadOnlyDescriptorOfAWritableOneCannotWrite() throws {
            try withDirectory { path in
                let file = try Posix.openTemporary(path)
                try Posix.writeAll(file.raw, [1, 2, 3])
                let reader = try Posix.open("/proc/self/fd/\(file.raw)", .readOnly)
                #expect(try Posix.pread(reader.raw, maximum: 10, at: 1) == [2, 3])
                let raw = reader.raw
                #expect(throws: PosixError.system(call: "write", errno: 9)) { _ = try Posix.write(raw, [1]) }
                #expect(try Posix.descriptorKind(file.raw) == .file(readable: true, writable: true))
                #expect(try Posix.descriptorKind(raw) == .file(readable: true, writable: false))
            }
        }

        @Test func descriptorsAreTakenForWhatTheyAre() throws {
            let pipe = try Posix.pipe()
            #expect(try Posix.descriptorKind(pipe.first.raw) == .pipe(readable: true, writable: false))
            #expect(try Posix.descriptorKind(pipe.second.raw) == .pipe(readable: false, writable: true))
            let pair = try Posix.socketPair()
            #expect(try Posix.descriptorKind(pair.first.raw) == .streamSocket(.unix, listening: false))
            for (path, flags) in [("/tmp", [.directory]), ("/dev/null", [])] as [(String, OpenFlags)] {
                let file = try Posix.open(path, flags)
                #expect(try Posix.descriptorKind(file.raw) == .other)
            }
            let place = try Posix.open("/etc/passwd", .path)
            #expect(try Posix.descriptorKind(place.raw) == .file(readable: false, writable: false))
        }

        @Test func positionsAndCuts() throws {
            try withDirectory { path in
                let file = try Posix.openTemporary(path)
                try Posix.pwriteAll(file.raw, [1, 2, 3, 4][...], at: 2)
                #expect(try Posix.pread(file.raw, maximum: 10, at: 0) == [0, 0, 1, 2, 3, 4])
                try Posix.ftruncate(file.raw, size: 3)
                #expect(try Posix.fstat(file.raw).size == 3)
                #expect(try Posix.pread(file.raw, maximum: 10, at: 3) == [])
            }
        }

        @Test func replacingIsAtomicAndExactInMode() throws {
            try withDirectory { path in
                let name = "\(path)/token"
                try Posix.replaceFile(name, with: Array("one".utf8), mode: 0o600)
                try Posix.replaceFile(name, with: Array("two".utf8), mode: 0o644)
                #expect(try Posix.readFile(name, limit: 3) == Array("two".utf8))
                #expect(try Posix.lstat(name).mode == 0o644)
                #expect(try Posix.directoryEntries(path) == ["token"])
                #expect(throws: PosixError.tooLarge(limit: 2)) { try Posix.readFile(name, limit: 2) }
            }
        }

        @Test func anExistingDirectoryMustBeOne() throws {
            try withDirectory { path in
                try Posix.mkdir("\(path)/a", mode: 0o700)
                try Posix.mkdir("\(path)/a", mode: 0o700, existing: true)
                try Posix.symlink("a", "\(path)/link")
                #expect(throws: PosixError.self) { try Posix.mkdir("\(path)/link", mode: 0o700, existing: true) }
                #expect(throws: PosixError.system(call: "mkdir \(path)/a", errno: 17)) {
                    try Posix.mkdir("\(path)/a", mode: 0o700)
                }
            }
        }

        @Test func locksHaveOneHolder() throws {
            try withDirectory { path in
                let one = try Posix.open("\(path)/lock", [.create, .readWrite])
                let two = try Posix.open("\(path)/lock", .readWrite)
                #expect(try Posix.lock(one.raw))
                #expect(try !Posix.lock(two.raw))
                one.close()
                #expect(try Posix.lock(two.raw))
            }
        }

        @Test func pathsWithNULAreRefused() {
            #expect(throws: PosixError.badPath("/tmp\0/x")) { _ = try Posix.open("/tmp\0/x", .readOnly).raw }
        }

        @Test func randomBytesDiffer() throws {
            let (one, two) = (try Posix.randomBytes(32), try Posix.randomBytes(32))
            #expect(one.count == 32)
            #expect(one != two)
        }
    }
}
