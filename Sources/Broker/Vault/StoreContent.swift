// What the sealed store says, and its canonical bytes. The values in it are sealed each on its own: reading the store
// brings none of them into the open.

import Orders
package import Wire

/// Somebody who may ask and, with a key, give orders.
package struct StoredUser: Hashable, Sendable {
    package var info: UserInfo
    /// Milliseconds since 1970 of the last order of this user that changed something. An order that is not later is a
    /// replay.
    package var mark: Int64

    package init(info: UserInfo, mark: Int64) {
        self.info = info
        self.mark = mark
    }
}

/// One secret of one project.
package struct StoredSecret: Hashable, Sendable {
    package var project: String
    package var name: String
    package var setMs: Int64
    package var setBy: String
    /// Nonce, ciphertext and tag.
    package var sealed: [UInt8]

    package init(project: String, name: String, setMs: Int64, setBy: String, sealed: [UInt8]) {
        (self.project, self.name, self.setMs, self.setBy, self.sealed) = (project, name, setMs, setBy, sealed)
    }

    /// The order in the store and in lists.
    var key: String { "\(project)\u{0}\(name)" }
}

/// The rules of a project, as whoever holds a key has sealed them.
package struct StoredPolicy: Hashable, Sendable {
    package var policy: Policy
    package var setMs: Int64
    package var setBy: String

    package init(policy: Policy, setMs: Int64, setBy: String) {
        self.policy = policy
        self.setMs = setMs
        self.setBy = setBy
    }
}

/// Everything that brokerd keeps, but for the audit log.
package struct StoreContent: Equatable, Sendable {
    /// The name of the token that a user has from the beginning.
    package static let firstToken = "first"
    package static let userLimit = 256
    package static let tokenLimit = 1024
    static let secretLimit = 4096
    package static let policyLimit = 1024

    /// Counts master keys, from 1.
    package var generation: UInt32
    /// The last record of the audit log when this was written: a log that ends before it has been cut.
    package var auditHead: AuditHead
    /// Sorted by name.
    package var users: [StoredUser]
    /// Sorted by user and name. Of each no more than its hash is kept.
    package var tokens: [SetTokenOrder]
    /// Counts the orders that have changed something.
    package var revision: UInt64 = 0
    /// Sorted by project and name.
    package var secrets: [StoredSecret]
    /// Sorted by project.
    package var policies: [StoredPolicy] = []

    /// Of a new store: whom its bootstrap file names may do everything.
    init(first: Bootstrap) {
        (generation, auditHead) = (1, .none)
        (users, tokens, secrets) = ([], [], [])
        admit(first.name, first.tokenHash, key: first.key, mark: 0)
    }

    private mutating func admit(_ name: String, _ token: Bytes32, key: Bytes32, mark: Int64) {
        users.append(
            StoredUser(info: UserInfo(name: name, key: key, everywhere: .admin, projects: []), mark: mark))
        let info = TokenInfo(user: name, name: Self.firstToken, access: .admin, projects: [], expiresMs: 0)
        tokens.append(SetTokenOrder(token: info, hash: token))
    }

    package func user(_ name: String) -> StoredUser? { users.first { $0.info.name == name } }

    package func secret(_ project: String, _ name: String) -> StoredSecret? {
        secrets.first { $0.project == project && $0.name == name }
    }

    package func policy(_ project: String) -> Policy? {
        policies.first { $0.policy.project == project }?.policy
    }

    /// Adds or replaces.
    package mutating func put(_ stored: StoredPolicy) throws(VaultError) {
        _ = removePolicy(stored.policy.project)
        if policies.count >= Self.policyLimit { throw .full("the store holds \(Self.policyLimit) projects, no more") }
        let place = policies.firstIndex { $0.policy.project > stored.policy.project } ?? policies.count
        policies.insert(stored, at: place)
    }

    /// False: there was none.
    package mutating func removePolicy(_ project: String) -> Bool {
        let before = policies.count
        policies.removeAll { $0.policy.project == project }
        return policies.count < before
    }

    /// Adds or replaces.
    package mutating func put(_ secret: StoredSecret) throws(VaultError) {
        secrets.removeAll { $0.key == secret.key }
        if secrets.count >= Self.secretLimit { throw .full("the store holds \(Self.secretLimit) secrets, no more") }
        let place = secrets.firstIndex { $0.key > secret.key } ?? secrets.count
        secrets.insert(secret, at: place)
    }

    /// False: there was none.
    package mutating func remove(_ project: String, _ name: String) -> Bool {
        let before = secrets.count
        secrets.removeAll { $0.project == project && $0.name == name }
        return secrets.count < before
    }
}

extension StoreContent: WireMessage {
    /// Of what is written here.
    static let version: UInt8 = 3
    private static let sealedLimit = 8192 + 28

    package init(from reader: inout WireReader) throws(WireError) {
        try self.init(from: &reader, version: Self.version)
    }

    /// As an earlier version of ours has written it, too.
    init(from reader: inout WireReader, version: UInt8) throws(WireError) {
        generation = try reader.u32()
        auditHead = AuditHead(sequence: try reader.u64(), hash: try reader.bytes32())
        users = []
        tokens = []
        secrets = []
        if version < 3 {
            for _ in 0..<(try reader.count(1, 64, each: 74, "operators")) {
                let (name, hash) = (try reader.text(short: 1, 64, "name"), try reader.bytes32())
                admit(name, hash, key: try reader.bytes32(), mark: try reader.i64())
            }
        } else {
            revision = try reader.u64()
            for _ in 0..<(try reader.count(1, Self.userLimit, each: 13, "users")) {
                users.append(StoredUser(info: try UserInfo(from: &reader), mark: try reader.i64()))
            }
            for _ in 0..<(try reader.count(0, Self.tokenLimit, each: 49, "tokens")) {
                tokens.append(try SetTokenOrder(from: &reader))
            }
        }
        for _ in 0..<(try reader.count(0, Self.secretLimit, each: 16, "secrets")) {
            secrets.append(
                StoredSecret(
                    project: try reader.text(short: 1, 64, "project"), name: try reader.text(short: 1, 64, "name"),
                    setMs: try reader.i64(), setBy: try reader.text(short: 1, 64, "set_by"),
                    sealed: try reader.bytes(short: 29, Self.sealedLimit, "sealed")))
        }
        if version < 2 { return }
        for _ in 0..<(try reader.count(0, Self.policyLimit, each: 64, "policies")) {
            let policy = try Policy(from: &reader)
            policies.append(
                StoredPolicy(
                    policy: policy, setMs: try reader.i64(), setBy: try reader.text(short: 1, 64, "set_by")))
        }
    }

    package func encode(to writer: inout WireWriter) throws(WireError) {
        writer.u32(generation)
        writer.u64(auditHead.sequence)
        writer.bytes32(auditHead.hash)
        writer.u64(revision)
        try writer.count(users.count, 1, Self.userLimit, "users")
        for user in users {
            try user.info.encode(to: &writer)
            writer.i64(user.mark)
        }
        try writer.count(tokens.count, 0, Self.tokenLimit, "tokens")
        for token in tokens { try token.encode(to: &writer) }
        try writer.count(secrets.count, 0, Self.secretLimit, "secrets")
        for secret in secrets {
            try writer.text(short: secret.project, 1, 64, "project")
            try writer.text(short: secret.name, 1, 64, "name")
            writer.i64(secret.setMs)
            try writer.text(short: secret.setBy, 1, 64, "set_by")
            try writer.bytes(short: secret.sealed, 29, Self.sealedLimit, "sealed")
        }
        try writer.count(policies.count, 0, Self.policyLimit, "policies")
        for stored in policies {
            try stored.policy.encode(to: &writer)
            writer.i64(stored.setMs)
            try writer.text(short: stored.setBy, 1, 64, "set_by")
        }
    }
}
