// The recorded deliveries, and what the tests change in them.

import Crypto
import Deliveries
import ForgeModel
import Foundation
import GitHub
import GitLab
import Gitea
import Secret
import Testing

/// A body of Payloads, and the event that its headers name.
struct Payload: Sendable, CustomTestStringConvertible {
    let forge: Forge
    let event: String
    let body: [UInt8]
    let testDescription: String

    init(_ forge: Forge, _ event: String, _ name: String) throws {
        let folder = forge == .forgejo ? "gitea" : forge.rawValue
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Payloads/\(folder)/\(name).json")
        self.init(forge, event, body: [UInt8](try Data(contentsOf: file)), "\(forge) \(name)")
    }

    init(_ forge: Forge, _ event: String, body: [UInt8], _ description: String = "") {
        (self.forge, self.event, self.body, testDescription) = (forge, event, body, description)
    }

    /// With another text at every place of this one; fails if there is none.
    func replacing(_ old: String, _ new: String) throws -> Payload {
        let text = String(decoding: body, as: UTF8.self)
        try #require(text.contains(old), "\(old) is not in \(testDescription)")
        return Payload(
            forge, event, body: Array(text.replacingOccurrences(of: old, with: new).utf8), testDescription)
    }

    /// With the value at a path replaced by a JSON value, or removed if it is nil.
    func setting(_ path: String, to value: Any?) throws -> Payload {
        let document = try JSONSerialization.jsonObject(with: Data(body))
        let changed = try Self.set(document, path.split(separator: ".").map(String.init), value)
        return Payload(forge, event, body: [UInt8](try JSONSerialization.data(withJSONObject: changed)), path)
    }

    private static func set(_ document: Any, _ keys: [String], _ value: Any?) throws -> Any {
        guard let key = keys.first else { return try #require(value) }
        var map = try #require(document as? [String: Any])
        if keys.count == 1 && value == nil {
            map[key] = nil
        } else {
            map[key] = try set(map[key] ?? [String: Any](), Array(keys.dropFirst()), value)
        }
        return map
    }

    var headers: [(name: String, value: String)] {
        var fields = [("Content-Type", "application/json"), (forge.eventHeader, event)].map {
            (name: $0.0, value: $0.1)
        }
        // What they really send besides.
        if forge == .gitea || forge == .forgejo { fields.append(("X-GitHub-Event", event)) }
        if forge == .forgejo { fields.append(("X-Gitea-Event", event)) }
        return fields
    }

    func read() throws -> Event { try read(headers) }

    func read(_ headers: [(name: String, value: String)]) throws(Refusal) -> Event {
        let delivery = Delivery(verified: RawDelivery(headers: Headers(headers), body: body))
        return switch forge {
        case .github: try GitHubEvents.event(delivery)
        case .gitlab: try GitLabEvents.event(delivery)
        case .gitea, .forgejo: try GiteaEvents.event(delivery)
        }
    }
}

extension Secret {
    /// A key of a test.
    static func of(_ text: String) throws -> Secret {
        var secret = try Secret(capacity: max(text.utf8.count, 1))
        try Array(text.utf8).withUnsafeBytes { try secret.append($0) }
        return secret
    }
}

enum Samples {
    static let head = "1f3c7a90b5d24e6f8091a2b3c4d5e6f708192a3b"
    static let other = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
    static let none = String(repeating: "0", count: 40)

    static func commit(_ hex: String) throws -> Commit { try #require(Commit(hex)) }

    static let github = Repository(id: 4711, path: "harbour/ship")
    static let githubFork = Repository(id: 4812, path: "mallory/ship")
    static let gitea = Repository(id: 31, path: "harbour/ship")
    static let giteaFork = Repository(id: 32, path: "mallory/ship")
    static let gitlab = Repository(id: 15, path: "harbour/yard/ship")
    static let gitlabFork = Repository(id: 16, path: "mallory/ship")

    static func hex(_ key: String, _ body: [UInt8]) -> String {
        HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(key.utf8)))
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
