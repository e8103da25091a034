// Bytes with descriptors: what arrives, and that nothing leaks when a peer sends too many.
import Endpoints
import Files
import Glibc
import Posix
import Processes
import Testing

extension Base {
    @Suite struct MessageTests {
        @Test(arguments: [0, 1, 3, 16]) func descriptorsArriveWithTheirBytes(count: Int) throws {
            let before = try openDescriptors()
            do {
                let pair = try Posix.socketPair()
                let file = try Posix.open("/etc/passwd", .readOnly)
                let fds = [Int32](repeating: file.raw, count: count)
                let (sender, receiver) = (pair.first.raw, pair.second.raw)
                #expect(try Posix.sendMessage(sender, [1, 2, 3][...], fds: fds) == .bytes(3))
                var bundle = FDBundle()
                var buffer = [UInt8](repeating: 0, count: 8)
                let outcome = try Posix.receiveMessage(receiver, into: &buffer, at: 2, fds: &bundle)
                let arrived = bundle.raws
                #expect(outcome == .bytes(3))
                #expect(buffer == [0, 0, 1, 2, 3, 0, 0, 0])
                #expect(arrived.count == count)
                let inode = try Posix.fstat(file.raw).inode
                for raw in arrived { #expect(try Posix.fstat(raw).inode == inode) }
                withExtendedLifetime(pair) {}
            }
            #expect(try openDescriptors() == before)
        }

        @Test func tooManyAreRefusedOnBothSides() throws {
            let pair = try Posix.socketPair()
            let fds = [Int32](repeating: pair.first.raw, count: 17)
            let (sender, receiver) = (pair.first.raw, pair.second.raw)
            // Our own side does not send them ...
            #expect(throws: PosixError.system(call: "send", errno: 22)) {
                try Posix.sendMessage(sender, [1][...], fds: fds)
            }
            // ... and a peer that does gets nothing kept here.
            let before = try openDescriptors()
            #expect(RawSender.send(sender, byte: 7, fds: fds) == 1)
            var bundle = FDBundle()
            var buffer = [UInt8](repeating: 0, count: 8)
            var caught: PosixError?
            do {
                _ = try Posix.receiveMessage(receiver, into: &buffer, fds: &bundle)
            } catch {
                caught = error
            }
            #expect(caught == .truncatedDescriptors)
            #expect(try openDescriptors() == before)
            withExtendedLifetime(pair) {}
        }

        @Test func emptySocketsWouldBlockAndClosedOnesEnd() throws {
            let pair = try Posix.socketPair()
            var bundle = FDBundle()
            var buffer = [UInt8](repeating: 0, count: 8)
            let receiver = pair.second.raw
            #expect(try Posix.receiveMessage(receiver, into: &buffer, fds: &bundle) == .wouldBlock)
            let kept = pair.keepSecond()
            #expect(try Posix.receiveMessage(kept.raw, into: &buffer, fds: &bundle) == .endOfFile)
            let raw = kept.raw
            #expect(throws: PosixError.system(call: "send", errno: 32)) { try Posix.sendMessage(raw, [1][...]) }
        }

        @Test func fullSocketsWouldBlock() throws {
            let pair = try Posix.socketPair()
            let block = [UInt8](repeating: 1, count: 65_536)
            var sent = 0
            while case .bytes(let count) = try Posix.sendMessage(pair.first.raw, block[...]) { sent += count }
            #expect(sent > 0)
            withExtendedLifetime(pair) {}
        }

        @Test func peersAreKnownByTheKernel() throws {
            try withDirectory { path in
                let listener = try Posix.listenUnix("\(path)/socket", mode: 0o660)
                #expect(try Posix.lstat("\(path)/socket").mode == 0o660)
                let client = try Posix.connectUnix("\(path)/socket")
                guard let server = try Posix.accept(listener.raw) else {
                    Issue.record("nobody came")
                    return
                }
                let peer = try Posix.peerCredentials(server.raw)
                #expect(peer.pid == Posix.processID)
                #expect(peer.uid == Posix.userID)
                #expect(peer.gid == getegid())
                let isLast = try Posix.accept(listener.raw) == nil
                #expect(isLast)
                withExtendedLifetime(client) {}
            }
        }

        @Test(.enabled(if: Posix.userID == 0)) func anotherUserIsSeenAsAnother() throws {
            try withDirectory { path in
                try Posix.chmod(path, 0o755)
                let listener = try Posix.listenUnix("\(path)/socket", mode: 0o666)
                let script =
                    "exec 3<>/dev/null; python3 -c 'import socket; s=socket.socket(1); s.connect(\"\(path)/socket\")'"
                let run = try shell(script) { $0.user = ChildUser(uid: 7799, gid: 7798) }
                #expect(run.status == .exited(0))
                guard let server = try Posix.accept(listener.raw) else {
                    Issue.record("nobody came")
                    return
                }
                let peer = try Posix.peerCredentials(server.raw)
                #expect(peer.uid == 7799)
                #expect(peer.gid == 7798)
            }
        }

        @Test func listeningReplacesADeadSocketAndNothingElse() throws {
            try withDirectory { path in
                let name = "\(path)/socket"
                do { _ = try Posix.listenUnix(name, mode: 0o600).raw }
                #expect(throws: PosixError.system(call: "connect \(name)", errno: 111)) {
                    _ = try Posix.connectUnix(name).raw
                }
                _ = try Posix.listenUnix(name, mode: 0o600).raw
                try Posix.unlink(name)
                _ = try Posix.open(name, [.create, .writeOnly]).raw
                #expect(throws: PosixError.system(call: "bind \(name)", errno: 98)) {
                    _ = try Posix.listenUnix(name, mode: 0o600).raw
                }
                let long = String(repeating: "x", count: 108)
                #expect(throws: PosixError.badPath("/\(long)")) { _ = try Posix.connectUnix("/\(long)").raw }
            }
        }

        @Test(arguments: ["127.0.0.1", "::1"]) func tcpListenersAcceptOnTheirPort(host: String) throws {
            // A machine without IPv6 has no such address to bind.
            if host == "::1", (try? Posix.readFile("/proc/net/if_inet6", limit: 65_536))?.isEmpty ?? true { return }
            let listener = try Posix.listenTCP(host, port: 0)
            let client = try Posix.connectTCP(host, port: try Posix.boundPort(listener.raw))
            let came = try Posix.accept(listener.raw) != nil
            #expect(came)
            let kind = try Posix.descriptorKind(listener.raw)
            #expect(kind == .streamSocket(host == "::1" ? .ipv6 : .ipv4, listening: true))
            withExtendedLifetime(client) {}
        }

        @Test func addressesAreDigitsOnly() {
            #expect(throws: PosixError.badAddress("localhost")) { _ = try Posix.listenTCP("localhost", port: 0).raw }
        }
    }
}
