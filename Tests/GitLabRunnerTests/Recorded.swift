// The recorded payloads, made after the shapes that GitLab documents, and what the tests change in them.

import Exchange
import Foundation
import GitLabRunner
import Testing

struct Recorded: Sendable, CustomTestStringConvertible {
    static let names = ["complete", "merge_request", "oldest"]

    let body: [UInt8]
    let testDescription: String

    init(_ name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Payloads/\(name).json")
        self.init(body: [UInt8](try Data(contentsOf: file)), name)
    }

    init(body: [UInt8], _ description: String) { (self.body, testDescription) = (body, description) }

    /// With the value at a path (`steps.0.when`) replaced by a JSON value, or removed if it is nil.
    func setting(_ path: String, to value: Any?) throws -> Recorded {
        let document = try JSONSerialization.jsonObject(with: Data(body))
        let changed = try Self.set(document, path.split(separator: ".").map(String.init), value)
        return Recorded(body: [UInt8](try JSONSerialization.data(withJSONObject: changed)), path)
    }

    private static func set(_ document: Any, _ keys: [String], _ value: Any?) throws -> Any {
        guard let key = keys.first else { return try #require(value) }
        let rest = Array(keys.dropFirst())
        if var list = document as? [Any], let index = Int(key), index < list.count {
            if rest.isEmpty && value == nil {
                list.remove(at: index)
            } else {
                list[index] = try set(list[index], rest, value)
            }
            return list
        }
        var map = document as? [String: Any] ?? [:]
        if rest.isEmpty && value == nil {
            map[key] = nil
        } else {
            map[key] = try set(map[key] ?? [String: Any](), rest, value)
        }
        return map
    }

    /// All paths to something that is no map and no list.
    func leaves() throws -> [String] {
        var found: [String] = []
        func walk(_ value: Any, _ path: String) {
            if let map = value as? [String: Any] {
                for (key, inner) in map { walk(inner, path.isEmpty ? key : "\(path).\(key)") }
            } else if let list = value as? [Any] {
                for (index, inner) in list.enumerated() { walk(inner, "\(path).\(index)") }
            }
            found.append(path)
        }
        walk(try JSONSerialization.jsonObject(with: Data(body)), "")
        return found.filter { !$0.isEmpty }.sorted()
    }

    func read(_ limits: PayloadLimits = PayloadLimits()) throws(PayloadProblem) -> GivenJob {
        try Payload.read(body, limits: limits)
    }

    func job() throws -> GitLabJob {
        guard case .job(let job) = try read() else {
            Issue.record("\(testDescription) is refused: \(try read())")
            throw PayloadProblem.nameless
        }
        return job
    }

    /// The sentence with which it is refused; nil if it is not.
    func sentence() throws -> String? {
        if case .refused(let job) = try read() { job.sentence } else { nil }
    }
}

enum Made {
    static let origin = made(Origin("https://gitlab.example"))
    static let api = RunnerAPI(origin: origin, systemID: made(SystemID("r_abcdefABCDEF")))
    static let handle = JobHandle(id: 10, token: SecretText("glcbt-1"), reasons: nil)

    /// What a test writes itself is well formed.
    static func made<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("a value that is none") }
        return value
    }

    static func answer(_ status: Int, _ body: String = "", _ headers: (String, String)...) -> RetryPolicy.Outcome {
        .answer(
            ExchangeAnswer(
                status: status,
                headers: [HeaderField("Content-Type", "application/json")] + headers.map { HeaderField($0.0, $0.1) },
                body: Array(body.utf8)))
    }
}
