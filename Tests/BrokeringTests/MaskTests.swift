// What relayd gets: a descriptor, for reading, of a file without a name.

import Files
import Glibc
import Link
import LinkBlocking
import Posix
import Testing
import Wire

extension BrokeringTests {
    @Suite struct MaskTests {
        private let attempt = Attempt(job: 7, attempt: 1, epoch: 3)

        private func watch(_ house: BrokerHouse, _ body: (borrowing FileDescriptor) throws -> Void) throws {
            var result: Result<Void, any Error> = .failure(HarnessError(description: "no item"))
            try house.relay().open(MaskEdge.WatchMasks(attempt: attempt)) { (_, fds: consuming FDBundle) -> Bool in
                var fds = fds
                guard let file = fds.takeFirst(), fds.isEmpty else { return false }
                result = Result { try body(file) }
                return false
            }
            try result.get()
        }

        private func values(_ house: BrokerHouse) throws -> [[UInt8]] {
            var found: [[UInt8]] = []
            try watch(house) { file in
                let size = Int(try Posix.fstat(file.raw).size)
                found = try MaskSet.decoded(try Posix.pread(file.raw, maximum: size, at: 0)).values.map(\.value)
            }
            return found
        }

        private func job(_ secrets: [String: [UInt8]]) throws -> (BrokerHouse, RunnerSide, Ticket) {
            let house = try BrokerHouse.running(secrets)
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: secrets.keys.sorted()))
            let runner = try RunnerSide(client, house)
            try client.grant(ticket, runner, attempt)
            return (house, runner, ticket)
        }

        @Test func theMasksAreTheTokenAndTheValues() throws {
            let long = try Posix.randomBytes(8192)
            let (house, runner, _) = try job(["a": [1, 2, 3], "b": long])
            #expect(try values(house) == [Array(try runner.open().token.utf8), [1, 2, 3], long])
        }

        @Test func thirtyTwoLargeOnesFit() throws {
            var secrets: [String: [UInt8]] = [:]
            for index in 10..<42 { secrets["s\(index)"] = [UInt8](repeating: UInt8(index), count: 8192) }
            let (house, runner, _) = try job(secrets)
            #expect(try values(house).count == 33)
            #expect(try runner.open().secrets.count == 32)
        }

        @Test func theFileIsForReadingAndHasNoName() throws {
            let (house, _, _) = try job(["a": [1, 2, 3]])
            try watch(house) { file in
                #expect(try Posix.descriptorKind(file.raw) == .file(readable: true, writable: false))
                let status = try Posix.fstat(file.raw)
                #expect(status.links == 0 && status.mode == 0o400)
                #expect(throws: PosixError.self) { try Posix.pwriteAll(file.raw, [0], at: 0) }
            }
            #expect(try Posix.directoryEntries("\(house.directory.path)/grants").count == 1)
        }

        @Test func withoutAGrantThereAreNone() throws {
            let (house, runner, ticket) = try job(["a": [1, 2, 3]])
            try house.scheduler().discard(runner.grant)
            #expect(try refusal { _ = try values(house) } == .notFound)
            try house.restart()
            #expect(try refusal { _ = try values(house) } == .notFound)
            let client = try house.scheduler()
            let again = try RunnerSide(client, house)
            try client.grant(ticket, again, attempt)
            #expect(try values(house).count == 2)
        }

        /// A value that was granted is masked, whatever the secret is by now.
        @Test func masksAreOfWhatWasGranted() throws {
            let (house, _, _) = try job(["a": [1, 2, 3]])
            try house.scheduler().execute(house.admin, try house.admin.set("a", [4, 5, 6]))
            #expect(try values(house)[1] == [1, 2, 3])
        }

        /// Granted again by the same process, once more for the runner: what it may have read before is masked as well.
        @Test func masksOnlyGrow() throws {
            let (house, runner, ticket) = try job(["a": [1, 2, 3]])
            let client = try house.scheduler()
            try client.execute(house.admin, try house.admin.set("a", [4, 5, 6]))
            try client.grant(ticket, runner, attempt)
            #expect(try values(house)[1...] == [[4, 5, 6], [1, 2, 3]])
            try client.grant(ticket, runner, attempt, taken: true)
            #expect(try values(house)[1...] == [[4, 5, 6], [1, 2, 3]])
        }

        /// A broker that has started anew does not know a value that was replaced: nothing of such a job's log may pass
        /// for masked. The control is a secret that nobody has touched.
        @Test(arguments: [false, true]) func unknownValuesAreNotPassedOver(_ isRemoved: Bool) throws {
            for isChanged in [false, true] {
                let (house, runner, ticket) = try job(["a": [1, 2, 3]])
                let client = try house.scheduler()
                if isChanged {
                    let order =
                        isRemoved
                        ? try house.admin.seal(.removeSecret(.init(project: "default", name: "a")))
                        : try house.admin.set("a", [4, 5, 6])
                    try client.execute(house.admin, order)
                }
                try house.restart()
                try house.scheduler().grant(ticket, runner, attempt, taken: true)
                if isChanged {
                    #expect(try refusal { _ = try values(house) } == .conflict)
                } else {
                    #expect(try values(house)[1] == [1, 2, 3])
                }
            }
        }

        @Test func theStreamEndsWithTheGrant() throws {
            let (house, runner, _) = try job(["a": [1]])
            let client = try house.scheduler()
            var items = 0
            // Returns when the stream has ended well.
            try house.relay().open(MaskEdge.WatchMasks(attempt: attempt)) { (_, _: consuming FDBundle) -> Bool in
                items += 1
                do { try client.discard(runner.grant) } catch { Issue.record("\(error)") }
                return true
            }
            #expect(items == 1)
        }
    }
}
