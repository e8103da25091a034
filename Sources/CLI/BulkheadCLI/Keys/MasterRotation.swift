// MasterRotation: a new master key, token and admin key in the place of the old ones. brokerd commits with one rename;
// here, files beside the present ones (`.next`) say how far we were, so that it can be killed anywhere and run again.
//
// Order of the files: made token, key, master; renamed after the commit key, master, token. So a `admin-token.next`
// lies there from the first step to the last, and whether the house takes it tells whether the rotation has been
// committed.

import Foundation
package import Orders
import Posix
package import Wire

package struct MasterRotation {
    /// What the rotation asks of the house.
    package struct House {
        /// Whether brokerd knows this token. Throws if it cannot be asked.
        package let accepts: (_ token: String) async throws -> Bool
        /// Sends the order under the present key and token.
        package let rotate:
            (_ key: KeyFile, _ token: String, _ order: RotateOrder, _ master: [UInt8]) async throws -> Void

        package init(
            accepts: @escaping (_ token: String) async throws -> Bool,
            rotate:
                @escaping (
                    _ key: KeyFile, _ token: String, _ order: RotateOrder, _ master: [UInt8]
                ) async throws -> Void
        ) {
            self.accepts = accepts
            self.rotate = rotate
        }
    }

    private static let master = HouseKeys.master
    private static let nextMaster = "next"

    private let house: House
    private let say: (String) -> Void
    private let masters: Folder
    private let tokens: (folder: Folder, name: String)
    private let keys: (folder: Folder, name: String)
    /// The token of the moment, where it is not in its file.
    private let givenToken: String?

    /// `token` and `key` are paths of the present files. `say` gets what a person should know.
    package init(
        masterKeys: String, token: String, key: String, givenToken: String? = nil, house: House,
        say: @escaping (String) -> Void
    ) throws {
        masters = try Folder(masterKeys)
        let (tokenPath, keyPath) = (OperatorKey.split(token), OperatorKey.split(key))
        tokens = (try Folder(tokenPath.directory), tokenPath.name)
        keys = (try Folder(keyPath.directory), keyPath.name)
        self.givenToken = givenToken
        self.house = house
        self.say = say
    }

    private var nextToken: String { tokens.name + ".next" }
    private var nextKey: String { keys.name + ".next" }

    package func run() async throws {
        let has = (
            token: try tokens.folder.has(nextToken), key: try keys.folder.has(nextKey),
            master: try masters.has(Self.nextMaster)
        )
        guard has.token else {
            guard !has.key, !has.master else { throw unclear() }
            // Asked before anything is written: while the broker is away there is nothing to begin.
            guard try await house.accepts(try presentToken()) else {
                throw CommandFailure(
                    "the broker does not know this token; nothing was changed. Give the directory of this house's "
                        + "token and key with --state", exit: .unauthorized)
            }
            try prepare()
            return try await commit()
        }
        let token = try read(tokens, nextToken)
        // A file that was cut short is none: nothing has been sent before all three were whole.
        if !token.isEmpty, try await house.accepts(token) {
            say("an earlier rotation was committed and not finished: finishing it")
            return try finish()
        }
        guard try await house.accepts(try presentToken()) else {
            throw CommandFailure(
                "neither the present token nor that of the rotation that was begun is known to the broker; nothing "
                    + "was changed. See that the broker runs, and that these files are of this house: "
                    + "\(tokens.folder.path)/\(tokens.name), \(tokens.folder.path)/\(nextToken)", exit: .unauthorized)
        }
        if has.key, has.master {
            say("an earlier rotation was prepared and not committed: sending its order again")
        } else {
            say("an earlier rotation stopped while it was prepared: beginning again")
            try discard()
            try prepare()
        }
        try await commit()
    }

    private func unclear() -> CommandFailure {
        CommandFailure(
            "\(masters.path)/\(Self.nextMaster) or \(keys.folder.path)/\(nextKey) is there, but not "
                + "\(tokens.folder.path)/\(nextToken), so it cannot be told whether a rotation was committed; nothing "
                + "was changed. If the present token and key still work, remove the two and begin again",
            exit: .failure)
    }

    // MARK: Steps

    private func prepare() throws {
        var master = try Posix.randomBytes(BrokerKeys.masterSize)
        defer { master.overwrite() }
        let present = try presentKey()
        let key = KeyFile.generate(name: present.name, broker: try BrokerKeys(master: master).publicKey)
        let token = try HouseKeys.newToken()
        try tokens.folder.create(nextToken, Array((token + "\n").utf8), mode: 0o600)
        try keys.folder.create(nextKey, Array(key.text.utf8), mode: 0o600)
        // brokerd reads it at its next start: it belongs to whom the directory belongs.
        try masters.create(Self.nextMaster, master, mode: 0o600, owner: try masters.owner())
    }

    private func commit() async throws {
        guard var master = try masters.read(Self.nextMaster, limit: BrokerKeys.masterSize, secret: true) else {
            throw unclear()
        }
        defer { master.overwrite() }
        let next = try OperatorKey.parsed(try read(keys, nextKey), path: "\(keys.folder.path)/\(nextKey)")
        let order = RotateOrder(tokenHash: Hashes.token(try read(tokens, nextToken)), key: next.publicKey)
        do {
            try await house.rotate(try presentKey(), try presentToken(), order, master)
        } catch let failure as CommandFailure {
            // A word of brokerd's own: it has not done it. Everything else leaves it open, and the files say where we
            // are.
            if ["order_refused", "conflict", "denied_by_policy", "invalid"].contains(failure.code) {
                try discard()
                throw failure
            }
            throw CommandFailure(
                "\(failure.description)\nwhether the rotation was committed is not known; run this again, and it "
                    + "finds out and goes on from there", exit: failure.exit, code: failure.code)
        }
        try finish()
    }

    private func finish() throws {
        if try keys.folder.has(nextKey) { try keys.folder.rename(nextKey, to: keys.name) }
        if try masters.has(Self.nextMaster) { try masters.rename(Self.nextMaster, to: Self.master) }
        try tokens.folder.rename(nextToken, to: tokens.name)
    }

    /// Only while brokerd does not know them. The token goes last: it is what tells.
    private func discard() throws {
        try masters.remove(Self.nextMaster)
        try keys.folder.remove(nextKey)
        try tokens.folder.remove(nextToken)
    }

    // MARK: Reading

    private func presentKey() throws -> KeyFile {
        try OperatorKey.parsed(try read(keys, keys.name), path: "\(keys.folder.path)/\(keys.name)")
    }

    private func presentToken() throws -> String {
        if let givenToken { return givenToken }
        return try read(tokens, tokens.name)
    }

    private func read(_ place: (folder: Folder, name: String), _ name: String) throws -> String {
        guard let bytes = try place.folder.read(name, limit: 4096, secret: true) else {
            throw CommandFailure("there is no file \(place.folder.path)/\(name)", exit: .usage)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return place.name == tokens.name && place.folder === tokens.folder
            ? text.trimmingCharacters(in: .whitespacesAndNewlines) : text
    }
}
