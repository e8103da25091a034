// Grants: what a runner finds in its directory, when, and what becomes of it.

import Brokering
import Files
import Glibc
import Link
import LinkBlocking
import Posix
import Processes
import Secret
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct GrantTests {
        private let attempt = Attempt(job: 7, attempt: 1, epoch: 3)

        @Test func theRunnerFindsWhatTheTicketNames() throws {
            let values: [String: [UInt8]] = [
                "one": [1], "deploy": try Posix.randomBytes(8192), "other": [3, 3, 3],
            ]
            let house = try BrokerHouse.running(values)
            let client = try house.scheduler()
            let wish = Wish(secrets: ["deploy", "one"])
            let ticket = try client.ticket(house.admin, wish)
            let runner = try RunnerSide(client, house)
            try client.wipe(runner.grant)
            #expect(try runner.files.isEmpty)
            try client.grant(ticket, runner, attempt)
            let body = try runner.open()
            #expect(body.attempt == attempt && body.definition == wish.definition)
            #expect(body.secrets.map(\.name) == ["deploy", "one"])
            #expect(body.secrets.map(\.value) == [values["deploy"], [1]])
            // Written by hand in the broker; the generated types say that it is the one encoding.
            #expect(try GrantBody.decoded(try body.encoded()) == body)
            #expect(!contains(try runner.sealed, [3, 3, 3]))
            let modes = try [runner.directory, "\(runner.directory)/grant"].map { try Posix.lstat($0).mode }
            #expect(modes == [0o755, 0o444])
            #expect(try Posix.lstat("\(house.directory.path)/grants").mode == 0o700)
        }

        @Test func noOtherRunnerOpensIt() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let (runner, other) = (try RunnerSide(client, house), try RunnerSide(client, house))
            try client.grant(ticket, runner, attempt)
            let sealed = try runner.sealed
            #expect(throws: (any Error).self) { try other.open(sealed, as: other.id) }
            #expect(throws: (any Error).self) { try other.open(sealed, as: runner.id) }
            #expect(throws: (any Error).self) { try runner.open(sealed, as: other.id) }
            _ = try runner.open(sealed, as: runner.id)
        }

        /// Somebody who says that a grant is another runner's gets nothing, and what lay there is not replaced.
        @Test func aGrantIsForOneAttemptOfOneRunner() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            var client = try house.scheduler()
            let tickets = try (0..<3).map { _ in try client.ticket(house.admin, Wish(secrets: ["deploy"])) }
            let runner = try RunnerSide(client, house)
            let impostor = BrokerEdge.Grant(
                ticket: tickets[0], grant: runner.grant, runner: .random(), attempt: attempt, taken: false,
                values: nil)
            #expect(try refusal { _ = try client.call(impostor) } == .conflict)
            #expect(try refusal { try client.grant(tickets[0], runner, attempt, taken: true) } == .conflict)
            try client.grant(tickets[0], runner, attempt)
            let sealed = try runner.sealed
            let others = [Attempt(job: 8, attempt: 1, epoch: 1), Attempt(job: 7, attempt: 2, epoch: 4)]
            for other in others {
                let ticket = other.job == 7 ? tickets[0] : tickets[1]
                #expect(try refusal { try client.grant(ticket, runner, other) } == .conflict)
            }
            let second = try RunnerSide(client, house)
            #expect(try refusal { try client.grant(tickets[0], second, attempt) } == .conflict)
            #expect(try runner.sealed == sealed)
            #expect(try house.audited(.grantDenied).count == 5)
            try house.restart()
            client = try house.scheduler()
            #expect(try refusal { try client.grant(tickets[1], runner, others[0]) } == .conflict)
        }

        /// A schedulerd that was taken over keeps its tickets: it cannot run a job for ever.
        @Test func aTicketIsNotUsedForEver() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            var client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            for number in 1...Ticket.grantsAtMost {
                let runner = try RunnerSide(client, house)
                let attempt = Attempt(job: 7, attempt: UInt32(number), epoch: 3)
                try client.grant(ticket, runner, attempt)
                try client.grant(ticket, runner, attempt)
                try client.discard(runner.grant)
                if number == 20 {
                    try house.restart()
                    client = try house.scheduler()
                }
            }
            let runner = try RunnerSide(client, house)
            let last = Attempt(job: 7, attempt: 99, epoch: 3)
            #expect(try refusal { try client.grant(ticket, runner, last) } == .ticketRefused)
            #expect(try runner.files == ["key"])
            let other = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            try client.grant(other, runner, Attempt(job: 8, attempt: 1, epoch: 3))
        }

        @Test func theSameGrantAgainIsFine() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            var client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let runner = try RunnerSide(client, house)
            try client.grant(ticket, runner, attempt)
            let first = try runner.sealed
            try client.grant(ticket, runner, attempt)
            #expect(try runner.sealed != first)  // another nonce
            #expect(try runner.open().secrets.map(\.value) == [[1]])
            try client.wipe(runner.grant)
            try client.grant(ticket, runner, attempt, taken: true)
            #expect(try runner.files.isEmpty)
            try house.restart()
            client = try house.scheduler()
            try client.grant(ticket, runner, attempt)
            #expect(try runner.open().secrets.map(\.value) == [[1]])
            #expect(try house.audited(.grant).count == 1)
            #expect(try house.audited(.grantAgain).count == 3)
        }

        /// Nothing is released before its record is on disk: here no file may grow beyond what the log has, and a bit.
        @Test(arguments: [0, 10, 200])
        func withoutAuditNothingIsReleased(_ room: Int) throws {
            let house = try BrokerHouse.running(["deploy": [1], "more": [2], "and-more": [3]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let runner = try RunnerSide(client, house)
            let log = try house.directory.read("state/audit.log")
            let pid = try #require(house.pid)
            try limitFiles(of: pid, to: log.count + room)
            #expect(try refusal { try client.grant(ticket, runner, attempt) } == .auditFailed)
            #expect(ErrorCode.auditFailed.retry == .later)
            #expect(try runner.files == ["key"])
            #expect(try house.directory.read("state/audit.log") == log)
            #expect(try refusal { try client.execute(house.admin, try house.admin.set("x", [1])) } == .auditFailed)
            #expect(
                try refusal { _ = try house.relay().open(MaskEdge.WatchMasks(attempt: attempt)) { _ in false } }
                    == .notFound)
            // The control: the same request, once the log can be written.
            try limitFiles(of: pid, to: nil)
            try client.grant(ticket, runner, attempt)
            #expect(try runner.open().secrets.count == 1)
            try house.stop()
            #expect(try AuditLog.verify("\(house.directory.path)/state/audit.log") == 5)
        }

        private func limitFiles(of pid: Int32, to bytes: Int?) throws {
            let limit = bytes.map { "\($0)" } ?? "unlimited"
            let child = ChildSpec(
                executable: "/usr/bin/prlimit", arguments: ["prlimit", "--pid", "\(pid)", "--fsize=\(limit):"])
            let status = Posix.wait(pid: try Posix.spawn(child))
            if status != .exited(0) { throw HarnessError(description: "prlimit: \(String(describing: status))") }
        }

        /// Whoever has the file open reads zeros or nothing, and never again what was there.
        @Test func wipingOverwrites() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let runner = try RunnerSide(client, house)
            let key = try Posix.open("\(runner.directory)/key", .readOnly)
            let mapped = try #require(mmap(nil, 32, PROT_READ, MAP_SHARED, key.raw, 0))
            defer { munmap(mapped, 32) }
            #expect(UnsafeRawBufferPointer(start: mapped, count: 32).contains { $0 != 0 })
            try client.wipe(runner.grant)
            #expect(try Posix.fstat(key.raw).size == 0)
            #expect(try runner.files.isEmpty)
            try client.grant(ticket, runner, attempt)
            // A second name keeps the bytes where they are: they can be looked at after the unlink.
            try Posix.link("\(runner.directory)/grant", to: "\(house.directory.path)/kept")
            let kept = try Posix.open("\(house.directory.path)/kept", .readOnly)
            try client.discard(runner.grant)
            #expect(try Posix.fstat(kept.raw).size == 0)
            #expect(try house.directory.read("kept").isEmpty)
            #expect(try house.grantFiles().isEmpty)
        }

        /// Before the size goes, the bytes are gone: a copy of the pages is worth nothing to whoever has one.
        @Test func zerosComeBeforeTheTruncation() throws {
            let directory = try TestDirectory()
            let grant = Bytes16.random()
            nonisolated(unsafe) var seen: [[UInt8]] = []
            let files = GrantFiles(directory.path) { point in
                let file = try? directory.read("\(grant.hex)/key")
                if point == .midWipe { seen.append(file ?? []) }
            }
            var key = try Secret(capacity: 32)
            try Posix.randomBytes(32).withUnsafeBytes { bytes in try key.append(bytes) }
            try files.make(grant, key: key)
            let before = try directory.read("\(grant.hex)/key")
            #expect(try files.wipe(grant))
            #expect(seen == [before, [UInt8](repeating: 0, count: 32)])
        }

        @Test func whatIsNotThereIsGone() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let runner = try RunnerSide(client, house)
            try client.discard(runner.grant)
            try client.discard(runner.grant)
            #expect(try refusal { try client.grant(ticket, runner, attempt) } == .grantGone)
            #expect(try refusal { try client.wipe(runner.grant) } == .grantGone)
            #expect(try house.audited(.grant).isEmpty)
        }

        /// The tmpfs has gone with whoever had mounted it, and the job runs on: its token and its masks live again.
        /// What was not taken is lost.
        @Test func aTakenGrantOutlivesItsDirectory() throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let (taken, lost) = (try RunnerSide(client, house), try RunnerSide(client, house))
            let other = Attempt(job: attempt.job, attempt: 2, epoch: attempt.epoch)
            try client.grant(ticket, taken, attempt)
            let token = try taken.open().token
            try client.grant(ticket, lost, other)
            try house.stop()
            for grant in [taken, lost] {
                for file in try grant.files { try Posix.unlink("\(grant.directory)/\(file)") }
                try Posix.rmdir(grant.directory)
            }
            try house.start()
            let again = try house.scheduler()
            try again.reconcile([taken.grant, lost.grant])
            #expect(try refusal { try again.grant(ticket, lost, other) } == .grantGone)
            try again.grant(ticket, taken, attempt, taken: true)
            #expect(try again.caller(token) == .job(.init(attempt: attempt, project: "default")))
            // Once it is not named any more, nothing of it is left.
            try again.reconcile([])
            #expect(try refusal { try again.grant(ticket, taken, attempt, taken: true) } == .conflict)
        }

        @Test func aSecretThatIsGoneIsNotGranted() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            try client.execute(
                house.admin, try house.admin.seal(.removeSecret(.init(project: "default", name: "deploy"))))
            let runner = try RunnerSide(client, house)
            #expect(try refusal { try client.grant(ticket, runner, attempt) } == .notFound)
            #expect(try runner.files == ["key"])
        }

        @Test func whatNobodyLivesInIsDiscarded() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let runners = try (0..<4).map { _ in try RunnerSide(client, house) }
            let live = BrokerEdge.Reconcile(live: [runners[1].grant, .random()])
            #expect(try client.call(live).message.discarded == 3)
            #expect(try Posix.directoryEntries("\(house.directory.path)/grants") == [runners[1].grant.hex])
            #expect(try runners[1].files == ["key"])
        }

        @Test func aStartWipesWhatWasLeft() throws {
            let house = try BrokerHouse.running(["deploy": [1]])
            let client = try house.scheduler()
            let ticket = try client.ticket(house.admin, Wish(secrets: ["deploy"]))
            let runner = try RunnerSide(client, house)
            try client.grant(ticket, runner, attempt)
            _ = try RunnerSide(client, house)
            try house.directory.write("grants/.masks-x", [1, 2, 3])
            try house.restart(BrokerOptions(wipes: false))
            #expect(try house.grantFiles().count == 3)  // the control
            try house.restart()
            #expect(try house.grantFiles().isEmpty)
            #expect(try runner.files.isEmpty)  // the directory stays: a container may have it mounted
        }
    }
}
