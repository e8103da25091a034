// What the CLI and brokerd share: keys, key files, sealing and opening.

import Crypto
import Foundation
import Orders
import Testing
import Wire

extension BrokeringTests {
    @Suite struct OrdersTests {
        private func keys(_ byte: UInt8 = 7) throws -> BrokerKeys {
            try BrokerKeys(master: [UInt8](repeating: byte, count: 32))
        }

        @Test func oneMasterKeyManyKeys() throws {
            let keys = try keys()
            let all = [keys.store, keys.tickets, keys.runners, keys.jobTokens].map { $0.withUnsafeBytes { Array($0) } }
            #expect(Set(all).count == 4)
            #expect(try self.keys().publicKey == keys.publicKey)
            #expect(try self.keys(8).publicKey != keys.publicKey)
            #expect(throws: OrderError.masterKeySize(31)) { try BrokerKeys(master: [UInt8](repeating: 7, count: 31)) }
        }

        @Test func keyFilesAreReadAsTheyWereWritten() throws {
            let file = KeyFile.generate(name: "admin", broker: try keys().publicKey)
            let read = try KeyFile(parsing: file.text)
            #expect(read.text == file.text)
            #expect(read.publicKey == file.publicKey && read.broker == file.broker && read.name == "admin")
        }

        @Test func mistakesInKeyFilesAreNamedAndNothingIsRepeated() throws {
            let text = KeyFile.generate(name: "admin", broker: try keys().publicKey).text
            let lines = text.split(separator: "\n").map(String.init)
            let secret = String(lines[3].split(separator: " ")[1])
            let cases: [(String, Int)] = [
                ("", 1), ("bulkhead-key-2\n", 1), (lines.dropLast().joined(separator: "\n"), 0),
                (text.replacingOccurrences(of: "private ", with: "private"), 4),
                (text.replacingOccurrences(of: "private ", with: "privat "), 4),
                (text.replacingOccurrences(of: secret, with: secret.uppercased() + "A"), 4),
                (text + "name admin\n", 5), (text.replacingOccurrences(of: "name admin", with: "name a b"), 2),
            ]
            for (changed, line) in cases {
                let error = #expect(throws: OrderError.self) { try KeyFile(parsing: changed) }
                guard case .badFile(let at, _) = error else { Issue.record("\(changed.prefix(20))"); continue }
                #expect(at == line)
                #expect(!"\(String(describing: error))".lowercased().contains(secret.prefix(16)))
            }
        }

        @Test func bootstrapIsReadAsItWasWritten() throws {
            let bootstrap = Bootstrap(name: "admin", tokenHash: .random(), key: .random())
            #expect(try Bootstrap(parsing: bootstrap.text) == bootstrap)
            #expect(throws: OrderError.self) {
                try Bootstrap(parsing: bootstrap.text + "key \(Bytes32.random().hex)\n")
            }
        }

        @Test func whatIsSealedOpens() throws {
            let (keys, person) = (try keys(), Person(broker: try keys().publicKey))
            let opened = try OrderOpener.open(try person.set("deploy", [1, 2, 3]), with: keys)
            #expect(opened.order.body == .setSecret(.init(project: "default", name: "deploy")))
            #expect(Array(opened.value) == [1, 2, 3])
        }

        @Test func nobodyElseOpensAndNobodyElseSeals() throws {
            let (keys, person) = (try keys(), Person(broker: try keys().publicKey))
            let sealed = try person.set("deploy", [1, 2, 3])
            #expect(throws: OrderError.self) { try OrderOpener.open(sealed, with: try self.keys(8)) }
            var other = sealed
            other.key = Person(broker: keys.publicKey).key.publicKey
            #expect(throws: OrderError.self) { try OrderOpener.open(other, with: keys) }
            for weak in [Bytes32(0, 0, 0, 0), Bytes32(1 << 56, 0, 0, 0)] {
                var small = sealed
                small.encapsulated = weak
                #expect(throws: OrderError.self) { try OrderOpener.open(small, with: keys) }
                small = sealed
                small.key = weak
                #expect(throws: OrderError.self) { try OrderOpener.open(small, with: keys) }
            }
        }

        @Test func everyByteCounts() throws {
            let (keys, person) = (try keys(), Person(broker: try keys().publicKey))
            let sealed = try person.set("deploy", [1, 2, 3])
            for index in sealed.order.indices {
                var changed = sealed
                changed.order[index] ^= 1
                #expect(throws: OrderError.self) { try OrderOpener.open(changed, with: keys) }
            }
            for index in sealed.value.indices {
                var changed = sealed
                changed.value[index] ^= 1
                #expect(throws: OrderError.self) { try OrderOpener.open(changed, with: keys) }
            }
        }

        /// A value belongs to its order: one that was sealed for another order, or as an order, does not open.
        @Test func partsAreNotInterchangeable() throws {
            let (keys, person) = (try keys(), Person(broker: try keys().publicKey))
            let one = try person.set("one", [1, 2, 3])
            var mixed = one
            mixed.value = try person.set("two", [4, 5, 6]).value
            #expect(throws: OrderError.self) { try OrderOpener.open(mixed, with: keys) }
            mixed.value = one.order
            #expect(throws: OrderError.self) { try OrderOpener.open(mixed, with: keys) }
        }
    }
}
