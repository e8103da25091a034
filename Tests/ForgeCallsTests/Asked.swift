// A forge of three lines: what it is asked is written down, and it answers what the test says.

import Exchange
import ForgeCalls
import ForgeModel
import GitHubCalls
import GitLabCalls
import GiteaCalls
import Testing

enum Made {
    static let repository = Repository(id: 42, path: "harbour/ship")
    static let commit = made(Commit(String(repeating: "1a", count: 20)))
    static let other = made(Commit(String(repeating: "2b", count: 20)))
    static let us = Account(id: 7, name: "bulkhead")
    static let ada = Account(id: 9, name: "ada")
    static let origin = made(Origin(.https, host: "forge.example"))
    static let archives = made(Origin(.https, host: "codeload.example"))

    static let github = GitHubForge(origin: origin, archives: [archives])
    static let gitlab = GitLabForge(origin: origin)
    static let gitea = GiteaForge(origin: origin)

    /// What a test writes itself is well formed.
    private static func made<Value>(_ value: Value?) -> Value {
        guard let value else { preconditionFailure("a value that is none") }
        return value
    }

    static func answer(_ body: String, status: Int = 200, headers: [HeaderField] = []) -> ExchangeAnswer {
        ExchangeAnswer(
            status: status, headers: [HeaderField("Content-Type", "application/json; charset=utf-8")] + headers,
            body: Array(body.utf8))
    }

    static let next = HeaderField("Link", #"<https://forge.example/x?page=2>; rel="next""#)
}

extension ExchangeRequest {
    /// `POST /path?query {body}`
    var line: String {
        "\(method.rawValue) \(target.text)" + (body.isEmpty ? "" : " " + String(decoding: body, as: UTF8.self))
    }
}

extension ForgeProvider {
    /// The requests of a call, given these answers, and what came of it.
    func run(_ call: ForgeCall, _ answers: ExchangeAnswer...) throws -> (asked: [String], result: ForgeResult) {
        var work = ForgeWork(call, at: self)
        var asked = [try work.begin().line]
        for answer in answers {
            switch try work.take(answer) {
            case .ask(let request): asked.append(request.line)
            case .done(let result): return (asked, result)
            }
        }
        Issue.record("it wants more: \(asked)")
        throw ForgeProblem.tooMuch
    }

    func problem(_ call: ForgeCall, _ answers: ExchangeAnswer...) -> ForgeProblem? {
        var work = ForgeWork(call, at: self)
        do throws(ForgeProblem) {
            _ = try work.begin()
            for answer in answers { _ = try work.take(answer) }
            return nil
        } catch {
            return error
        }
    }
}
