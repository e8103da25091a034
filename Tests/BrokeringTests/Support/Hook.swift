// A project with a webhook, and deliveries of it as GitHub signs them.

import Crypto
import Endpoints
import Files
import Foundation
import Link
import LinkBlocking
import Orders
import Posix
import Wire

/// Project "shop" at GitHub: main is protected, forks wait, "deploy" is there for main and "lint" for what is approved.
enum Shop {
    static let key = Array("the key of the shop's webhook".utf8)
    static let head = String(repeating: "a", count: 40)
    static let base = String(repeating: "b", count: 40)

    static func definition(_ name: String, secrets: [String] = [], project: String = "shop") -> JobDefinition {
        let shape = RunnerShape(
            image: "shop/\(name)", platform: .linuxAmd64, profile: .strict,
            resources: .init(cpuMillis: 1000, memoryBytes: 1 << 30, pids: 64, diskBytes: 1 << 28),
            untrustedSteps: false, gpus: nil)
        let uses = secrets.map { SecretUse(name: $0, form: .variable, variable: "VALUE") }
        let step = Step(
            name: name, run: "make \(name)", timeoutSeconds: 0, continueOnError: false, untrusted: false,
            when: .onSuccess,
            secrets: uses)
        return JobDefinition(
            project: project,
            spec: JobSpec(
                name: name, shape: shape, timeoutSeconds: 60, silenceSeconds: 0, env: [], steps: [step], artifacts: []),
            source: nil,
            schedule: Schedule(
                priority: 50, group: nil, needs: [], condition: .allSuccess, queueTimeoutSeconds: 0, retries: 0,
                tags: []))
    }

    /// Of the file that job `docs` stands in.
    static let rule = Bytes32(5, 6, 7, 8)
    static let deploy = definition("deploy", secrets: ["deploy"])
    static let lint = definition("lint", secrets: ["lint"])
    static let test = definition("test")

    static func policy(_ change: (inout Policy) -> Void = { _ in }) throws -> Policy {
        func secret(_ name: String, listed: Bool, _ trust: Trust) -> PolicySecret {
            PolicySecret(name: name, listed: listed, branches: listed ? ["main"] : [], tags: [], trust: trust)
        }
        var policy = Policy(
            project: "shop", forge: .github, url: "https://github.com", app: nil, repositoryId: 4711,
            repositoryPath: nil,
            defaultBranch: "main", protectedBranches: [], protectedTags: ["v*"], approval: .forks,
            ownBranches: .untrusted, allowedUsers: [],
            secrets: [secret("deploy", listed: false, .trusted), secret("lint", listed: true, .approved)],
            jobs: try [deploy, lint, test].map {
                PolicyJob(
                    name: $0.spec.name, checkout: false, definition: try Hashes.definition($0), file: nil)
            } + [PolicyJob(name: "docs", checkout: false, definition: nil, file: rule)], runner: nil,
            revision: Bytes32(1, 2, 3, 4))
        change(&policy)
        return policy
    }

    /// A house with the shop's project, its webhook's key and its secrets.
    static func house(_ change: (inout Policy) -> Void = { _ in }) throws -> BrokerHouse {
        let house = try BrokerHouse.running()
        let client = try house.scheduler()
        try client.execute(house.admin, try house.admin.set("webhook-key", key, project: "shop"))
        for name in ["deploy", "lint"] {
            try client.execute(house.admin, try house.admin.set(name, [1, 2, 3], project: "shop"))
        }
        try client.execute(house.admin, try house.admin.apply(try policy(change)))
        return house
    }
}

extension Person {
    func apply(_ policy: Policy) throws -> SealedOrder {
        try seal(.setProject(.init(project: policy.project)), value: try policy.encoded())
    }
}

/// A delivery as it comes from GitHub.
struct Hook {
    var event = "push"
    var body: String
    var key = Shop.key
    var project = "shop"
    var signature: String?

    static let repository =
        #""repository": {"id": 4711, "full_name": "acme/shop"}, "sender": {"id": 1, "login": "ada"}"#

    static func push(to reference: String = "refs/heads/main", after: String = Shop.head) -> Hook {
        let before = String(repeating: "0", count: 40)
        return Hook(body: #"{"ref": "\#(reference)", "before": "\#(before)", "after": "\#(after)", \#(repository)}"#)
    }

    /// A pull request; `fork`: the number of its repository, 0 for one that is gone.
    static func change(
        fork: Int = 4712, head: String = Shop.head, number: Int = 7, into repository: Int = 4711,
        branch: String = "main"
    ) -> Hook {
        func side(_ sha: String, _ name: String, _ id: Int) -> String {
            let repository = id == 0 ? "null" : #"{"id": \#(id), "full_name": "somebody/shop"}"#
            return #"{"sha": "\#(sha)", "ref": "\#(name)", "repo": \#(repository)}"#
        }
        let there = Self.repository.replacing("4711", with: "\(repository)")
        let change =
            #"{"draft": false, "merged": false, "user": {"id": 2, "login": "eve"}, "#
            + #""head": \#(side(head, "patch", fork)), "base": \#(side(Shop.base, branch, 4711))}"#
        return Hook(
            event: "pull_request",
            body: #"{"action": "opened", "number": \#(number), "pull_request": \#(change), \#(there)}"#)
    }

    static func comment(_ text: String, by id: Int = 1, number: Int = 7) -> Hook {
        let user = #"{"id": \#(id), "login": "ada", "type": "User"}"#
        return Hook(
            event: "issue_comment",
            body: #"{"action": "created", "issue": {"number": \#(number), "pull_request": {}}, "#
                + #""comment": {"user": \#(user), "body": "\#(text)"}, "#
                + #""repository": {"id": 4711, "full_name": "acme/shop"}, "sender": \#(user)}"#)
    }
}

extension BlockingClient<BrokerEdge> {
    func deliver(_ hook: Hook) throws -> DeliveryWord {
        let body = Array(hook.body.utf8)
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: hook.key))
        let signature = hook.signature ?? "sha256=" + code.map { String(format: "%02x", $0) }.joined()
        let fields = [
            ("content-type", "application/json"), ("x-github-event", hook.event), ("x-hub-signature-256", signature),
        ]
        let file = try TestDirectory()
        try file.write("body", body)
        let reader = try Posix.open("\(file.path)/body", [.readOnly])
        let request = BrokerEdge.VerifyDelivery(
            forge: .github, project: hook.project, headers: fields.map { HeaderField(name: $0.0, value: $0.1) })
        return try call(request, fds: FDBundle(reader)).message.delivery
    }

    func ticket(
        _ word: DeliveryWord, _ definition: JobDefinition, approval: ApprovalWord? = nil, file: FileWord? = nil,
        source: SourceWord? = nil, base: BaseWord? = nil, job: String? = nil
    ) throws -> Ticket {
        try call(
            BrokerEdge.VouchEvent(
                delivery: word, approval: approval, file: file, source: source, base: base,
                job: job ?? definition.spec.name, definition: definition)
        ).message.ticket
    }
}
