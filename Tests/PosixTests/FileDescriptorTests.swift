import Endpoints
import Files
import Posix
import Testing

extension Base {
    @Suite struct FileDescriptorTests {
        @Test func closesOnceAtTheEndOfItsLife() throws {
            let before = try openDescriptors()
            var raw: Int32 = -1
            do {
                let file = try Posix.open("/dev/null", .readOnly)
                raw = file.raw
                #expect(isOpen(raw))
            }
            #expect(!isOpen(raw))
            #expect(try openDescriptors() == before)
        }

        @Test func releaseGivesTheNumberUp() throws {
            let file = try Posix.open("/dev/null", .readOnly)
            let raw = file.release()
            #expect(isOpen(raw))
            let owner = FileDescriptor(owning: raw)
            owner.close()
            #expect(!isOpen(raw))
        }

        @Test func duplicatesAreIndependent() throws {
            let file = try Posix.open("/dev/null", .readOnly)
            let copy = try file.duplicate()
            let (first, second) = (file.raw, copy.raw)
            file.close()
            #expect(!isOpen(first))
            #expect(isOpen(second))
        }

        @Test func everyDescriptorIsCloseOnExec() throws {
            try withDirectory { path in
                let pipe = try Posix.pipe()
                let pair = try Posix.socketPair()
                let file = try Posix.openTemporary(path)
                let listener = try Posix.listenUnix("\(path)/socket", mode: 0o600)
                let loop = try PollLoop()
                let wanted = [pipe.first.raw, pipe.second.raw, pair.first.raw, pair.second.raw, file.raw, listener.raw]
                for raw in wanted {
                    let info = String(
                        decoding: try Posix.readFile("/proc/self/fdinfo/\(raw)", limit: 4096), as: UTF8.self)
                    let flags = info.split(separator: "\n").first { $0.hasPrefix("flags:") }
                    let bits = flags.flatMap { Int($0.dropFirst(6).filter { $0.isNumber }, radix: 8) } ?? 0
                    #expect(bits & 0o2000000 != 0, "descriptor \(raw)")
                }
                withExtendedLifetime(loop) {}
            }
        }

        @Test func bundleClosesWhatNobodyTook() throws {
            let before = try openDescriptors()
            var kept: Int32 = -1
            do {
                var bundle = FDBundle()
                for _ in 0..<4 { bundle.append(try Posix.open("/dev/null", .readOnly)) }
                let numbers = bundle.raws
                let first = bundle.takeFirst()
                kept = first?.release() ?? -1
                #expect(kept == numbers[0])
                let two = bundle.takeFirst(2)
                let counts = (two.count, bundle.count)
                #expect(counts == (2, 1))
            }
            #expect(isOpen(kept))
            #expect(try openDescriptors() == before + 1)
            FileDescriptor(owning: kept).close()
        }

        @Test func pairsComeApart() throws {
            let before = try openDescriptors()
            let pipe = try Posix.pipe()
            let writer = pipe.keepSecond()
            #expect(throws: PosixError.system(call: "write", errno: 32)) {
                try Posix.ignoreBrokenPipes()
                _ = try Posix.write(writer.raw, [1])
            }
            writer.close()
            #expect(try openDescriptors() == before)
        }
    }
}
