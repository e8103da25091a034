// HouseKeys: what a house needs before its first start: the master key, the admin's token and key, and the word to
// brokerd whose they are. `bulkhead up` and `bulkhead init` make them with the same code. Nothing that exists is ever
// overwritten.

import Foundation
import Orders
import Posix
import Wire

/// Where the keys of one house lie, and who owns them.
package struct HouseKeys {
    package static let token = "admin-token"
    package static let key = "admin-key"
    package static let master = "current"
    package static let admin = "admin"

    /// The directory with the admin's own files.
    let people: String
    let masterKeys: String
    let brokerState: String
    /// nil: whoever runs this.
    let masterOwner: Owner?

    package init(people: String, masterKeys: String, brokerState: String) {
        self.init(people: people, masterKeys: masterKeys, brokerState: brokerState, masterOwner: nil)
    }

    init(people: String, masterKeys: String, brokerState: String, masterOwner: Owner?) {
        self.people = people
        self.masterKeys = masterKeys
        self.brokerState = brokerState
        self.masterOwner = masterOwner
    }

    var bootstrap: String { brokerState + "/bootstrap" }

    /// Makes what is missing; the directories are there. The paths that were made. With a store, nothing is made: a new
    /// master key would not open it, and a new token or key would not be known in it.
    package func prepare() throws -> [String] {
        let broker = try Folder(brokerState)
        let masters = try Folder(masterKeys)
        if try broker.has("store") {
            guard try masters.has(Self.master) || masters.has("next") else {
                throw CommandFailure(
                    "\(brokerState)/store is there, but the master key that opens it is not in \(masterKeys); "
                        + "restore it from your backup, or remove the store and with it every secret", exit: .failure)
            }
            return []
        }
        var made: [String] = []
        var master = try masterKey(masters, &made)
        defer { master.overwrite() }
        let people = try Folder(people)
        let token = try token(people, &made)
        let key = try keyFile(people, broker: try BrokerKeys(master: master).publicKey, &made)
        let word = Bootstrap(name: key.name, tokenHash: Hashes.token(token), key: key.publicKey)
        let text = Array(word.text.utf8)
        if try broker.read("bootstrap", limit: 4096, secret: false) != text {
            try broker.remove("bootstrap")
            try broker.create("bootstrap", text, mode: 0o444)
            made.append(bootstrap)
        }
        return made
    }

    private func masterKey(_ masters: Folder, _ made: inout [String]) throws -> [UInt8] {
        if let bytes = try masters.read(Self.master, limit: BrokerKeys.masterSize, secret: true) {
            guard bytes.count == BrokerKeys.masterSize else {
                throw CommandFailure(
                    "\(masterKeys)/\(Self.master) is damaged: a master key has \(BrokerKeys.masterSize) bytes",
                    exit: .failure)
            }
            return bytes
        }
        let bytes = try Posix.randomBytes(BrokerKeys.masterSize)
        try masters.create(Self.master, bytes, mode: 0o600, owner: masterOwner)
        made.append("\(masterKeys)/\(Self.master)")
        return bytes
    }

    private func token(_ people: Folder, _ made: inout [String]) throws -> String {
        if let bytes = try people.read(Self.token, limit: 4096, secret: true) {
            let token = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            guard !token.isEmpty else {
                throw CommandFailure(
                    "\(people.path)/\(Self.token) is empty; remove it, and a new one is made", exit: .failure)
            }
            return token
        }
        let token = try Self.newToken()
        try people.create(Self.token, Array((token + "\n").utf8), mode: 0o600)
        made.append("\(people.path)/\(Self.token)")
        return token
    }

    private func keyFile(_ people: Folder, broker: Bytes32, _ made: inout [String]) throws -> KeyFile {
        if let bytes = try people.read(Self.key, limit: 4096, secret: true) {
            let path = "\(people.path)/\(Self.key)"
            let file = try OperatorKey.parsed(String(decoding: bytes, as: UTF8.self), path: path)
            guard file.broker == broker else {
                throw CommandFailure(
                    "\(path) is the key of another house; move it away, and one for this house is made", exit: .failure)
            }
            return file
        }
        let file = KeyFile.generate(name: Self.admin, broker: broker)
        try people.create(Self.key, Array(file.text.utf8), mode: 0o600)
        made.append("\(people.path)/\(Self.key)")
        return file
    }

    /// An API token: 256 random bits.
    static func newToken() throws -> String { "bh_" + Hex.encode(try Posix.randomBytes(32)) }
}

extension [UInt8] {
    /// Overwrites bytes that were worth stealing. The CLI is no vault: this shortens the time, and promises nothing
    /// more.
    mutating func overwrite() {
        for index in indices { self[index] = 0 }
    }
}
