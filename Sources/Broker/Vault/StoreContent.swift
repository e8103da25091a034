// What the sealed store says, and its canonical bytes. The values in it are sealed each on its own: reading the store
// brings none of them into the open.

package import Wire

/// Somebody who may give orders.
package struct StoredOperator: Hashable, Sendable {
    package var name: String
    /// SHA-256 of the API token.
    package var tokenHash: Bytes32
    /// The X25519 public key that seals this operator's orders.
    package var key: Bytes32
    /// Milliseconds since 1970 of the last order of this key that changed something. An order that is not later is a
    /// replay.
    package var mark: Int64
}

/// One secret of one project.
package struct StoredSecret: Hashable, Sendable {
    package var project: String
    package var name: String
    package var setMs: Int64
    package var setBy: String
    /// Nonce, ciphertext and tag.
    package var sealed: [UInt8]

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
    static let secretLimit = 4096
    package static let policyLimit = 1024

    /// Counts master keys, from 1.
    package var generation: UInt32
    /// The last record of the audit log when this was written: a log that ends before it has been cut.
    package var auditHead: AuditHead
    package var operators: [StoredOperator]
    /// Sorted by project and name.
    package var secrets: [StoredSecret]
    /// Sorted by project.
    package var policies: [StoredPolicy] = []

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
    private static let sealedLimit = 8192 + 28

    package init(from reader: inout WireReader) throws(WireError) {
        generation = try reader.u32()
        auditHead = AuditHead(sequence: try reader.u64(), hash: try reader.bytes32())
        operators = []
        secrets = []
        for _ in 0..<(try reader.count(1, 64, each: 74, "operators")) {
            operators.append(
                StoredOperator(
                    name: try reader.text(short: 1, 64, "name"), tokenHash: try reader.bytes32(),
                    key: try reader.bytes32(), mark: try reader.i64()))
        }
        for _ in 0..<(try reader.count(0, Self.secretLimit, each: 16, "secrets")) {
            secrets.append(
                StoredSecret(
                    project: try reader.text(short: 1, 64, "project"), name: try reader.text(short: 1, 64, "name"),
                    setMs: try reader.i64(), setBy: try reader.text(short: 1, 64, "set_by"),
                    sealed: try reader.bytes(short: 29, Self.sealedLimit, "sealed")))
        }
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
        try writer.count(operators.count, 1, 64, "operators")
        for person in operators {
            try writer.text(short: person.name, 1, 64, "name")
            writer.bytes32(person.tokenHash)
            writer.bytes32(person.key)
            writer.i64(person.mark)
        }
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
