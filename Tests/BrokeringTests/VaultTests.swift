// The store and the audit log as files: what is altered, cut or torn, and by whom it is noticed.

import Files
import Foundation
import LinkBlocking
import Orders
import Posix
import Processes
import Secret
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct VaultTests {
        private func open(_ house: BrokerHouse, _ points: @escaping Points = { _ in }) throws -> Vault {
            try Vault(
                VaultPlace(
                    state: "\(house.directory.path)/state", masterKeys: "\(house.directory.path)/keys",
                    bootstrap: "\(house.directory.path)/bootstrap"), now: Posix.wallMilliseconds(), points: points)
        }

        @Test func everyByteOfTheStoreCounts() throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3]])
            try house.stop()
            let keys = [try BrokerKeys(master: house.master)]
            let state = "\(house.directory.path)/state"
            let good = try house.directory.read("state/store")
            #expect(try SealedStore(opening: state, keys)?.content.secrets.map(\.name) == ["deploy"])
            for index in good.indices {
                var bad = good
                bad[index] ^= 0x20
                try house.directory.write("state/store", bad)
                #expect(throws: VaultError.self) { try SealedStore(opening: state, keys) }
            }
            for length in [0, 1, 16, 17, 30, good.count - 1] {
                try house.directory.write("state/store", Array(good.prefix(length)))
                #expect(throws: VaultError.self) { try SealedStore(opening: state, keys) }
            }
            try house.directory.write("state/store", good + [0])
            #expect(throws: VaultError.self) { try SealedStore(opening: state, keys) }
            try house.directory.write("state/store", good)
            #expect(throws: VaultError.self) {
                try SealedStore(opening: state, [try BrokerKeys(master: [UInt8](repeating: 1, count: 32))])
            }
        }

        @Test func noValueIsInTheStore() throws {
            let canary = try Posix.randomBytes(32)
            let house = try BrokerHouse.running(["deploy": canary])
            try house.stop()
            let vault = try open(house)
            let opened = try vault.store.content.encoded()
            #expect(!contains(opened, canary))
            #expect(!contains(try house.directory.read("state/store"), canary))
            let stored = try #require(vault.store.content.secret("default", "deploy"))
            #expect(try vault.store.value(of: stored).withBytes { Array($0) } == canary)
        }

        /// A sealed value under another name, project or generation is nobody's.
        @Test func storedValuesAreNotInterchangeable() throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3]])
            try house.stop()
            let vault = try open(house)
            let stored = try #require(vault.store.content.secret("default", "deploy"))
            for change in [{ $0.name = "other" }, { $0.project = "other" }] as [(inout StoredSecret) -> Void] {
                var moved = stored
                change(&moved)
                #expect(throws: VaultError.self) { _ = try vault.store.value(of: moved) }
            }
        }

        @Test func aHalfWrittenStoreIsNone() throws {
            let house = try BrokerHouse.running(["deploy": [1, 2, 3]])
            try house.stop()
            try house.directory.write("state/store.new", [1, 2, 3])
            try house.start()
            #expect(try house.scheduler().secrets(house.admin) == ["deploy"])
        }

        @Test func aHouseWithAHistoryIsNotTakenOver() throws {
            let house = try BrokerHouse.running()
            try house.stop()
            let intruder = Person(broker: try BrokerKeys(master: house.master).publicKey)
            try house.directory.write("bootstrap", Array(intruder.bootstrap.text.utf8))
            try house.restart()
            #expect(try refusal { _ = try house.scheduler().caller(intruder.token) } == .unauthorized)
            try house.stop()
            try Posix.unlink("\(house.directory.path)/state/store")
            #expect(try house.start() == .exited(1))
            #expect(house.errors.contains("the store is gone"))
        }

        @Test(arguments: [0o644, 0o640, 0o660, 0o604] as [UInt32])
        func masterKeysAreForNobodyElse(_ mode: UInt32) throws {
            let house = try BrokerHouse()
            try Posix.chmod("\(house.directory.path)/keys/current", mode)
            #expect(try house.start() == .exited(1))
            try Posix.chmod("\(house.directory.path)/keys/current", 0o400)
            #expect(try house.start() == nil)
        }

        @Test func masterKeysHaveTheirSize() throws {
            for size in [0, 31, 33, 64] {
                let house = try BrokerHouse()
                try house.directory.write("keys/current", [UInt8](repeating: 1, count: size))
                #expect(try house.start() == .exited(1))
            }
        }

        // MARK: the audit log

        private func log() throws -> (BrokerHouse, [UInt8]) {
            let house = try BrokerHouse.running(["one": [1], "two": [2], "three": [3]])
            try house.stop()
            return (house, try house.directory.read("state/audit.log"))
        }

        @Test func theChainIsWhatItSays() throws {
            let (house, good) = try log()
            #expect(try AuditLog.verify("\(house.directory.path)/state/audit.log") == 4)
            let lines = String(decoding: good, as: UTF8.self).split(separator: "\n")
            // Checked by hand, as somebody with sha256sum would.
            var previous = String(repeating: "0", count: 64)
            for line in lines {
                let cut = line.range(of: " hash=")
                let said = line[..<(try #require(cut?.lowerBound))]
                #expect(said.hasSuffix(" prev=\(previous)"))
                previous = Hashes.sha256(Array(said.utf8)).hex
                #expect(line.hasSuffix(" hash=\(previous)"))
            }
        }

        @Test func everyByteOfTheLogCounts() throws {
            let (house, good) = try log()
            let path = "\(house.directory.path)/state/audit.log"
            for index in good.indices.dropLast() {
                var bad = good
                bad[index] ^= 1
                try house.directory.write("state/audit.log", bad)
                #expect(throws: VaultError.self) { try AuditLog.verify(path) }
            }
            var bad = good
            let third = good.indices.filter { good[$0] == UInt8(ascii: "\n") }[1] + 10
            bad[third] ^= 1
            try house.directory.write("state/audit.log", bad)
            #expect(try house.start() == .exited(1))
            #expect(house.errors.contains("line 3 "))
        }

        /// Whole lines at the end leave no trace in the log itself; the store knows where it ended.
        @Test func aCutLogIsNoticed() throws {
            let (house, good) = try log()
            let lines = good.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
            for count in [0, 1, 3] {
                try house.directory.write(
                    "state/audit.log", Array(lines.prefix(count).joined(separator: [10])) + (count > 0 ? [10] : []))
                #expect(try house.start() == .exited(1), "\(count) lines")
                #expect(house.errors.contains("it was cut"))
            }
            try house.directory.write("state/audit.log", Array(lines[1...].joined(separator: [10])) + [10])
            #expect(try house.start() == .exited(1))
            try house.directory.write("state/audit.log", good)
            #expect(try house.start() == nil)
        }

        @Test func aTornLineIsCutAndTheChainGoesOn() throws {
            let (house, good) = try log()
            for torn in [[UInt8(ascii: "s")], Array("seq=5 time=1 event=grant prev=".utf8)] {
                try house.directory.write("state/audit.log", good + torn)
                try house.restart()
                try house.stop()
                #expect(try AuditLog.verify("\(house.directory.path)/state/audit.log") == 5)
            }
        }

        @Test func twoBrokersAreOneTooMany() throws {
            let house = try BrokerHouse.running()
            #expect(throws: VaultError.self) { try open(house) }
            try house.stop()
            _ = try open(house)
        }
    }
}

/// Whether `part` lies somewhere in `whole`.
func contains(_ whole: [UInt8], _ part: [UInt8]) -> Bool {
    whole.indices.contains { whole[$0...].starts(with: part) }
}
