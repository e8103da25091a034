// Runners and jobs of GitLab: what came to courierd with a token or a secret in it is sealed here and goes out again as
// a word, which schedulerd keeps. brokerd remembers nothing of it: when the row is gone, so is the value.

import Crypto
import ForgeModel
import Link
import Orders
import Posix
import Secret
import TrustWire
import Vault
import Wire

extension GitLabRunnerWord: Word {
    static var kind: String { "gitlab runner" }
    /// As long as the runner is GitLab's.
    static var lifetimeMs: Int64 { 100 * 365 * 24 * 3600 * 1000 }
}

extension GitLabJobWord: Word {
    static var kind: String { "gitlab job" }
    static var lifetimeMs: Int64 { Ticket.lifetimeMs }

    /// The same job has the same name for ever.
    var order: Bytes16? {
        let said = Array("bulkhead job of gitlab 1\0\(project)\0\(url)\0\(about.job)".utf8)
        return Bytes16(bytes: Array(Hashes.sha256(said).array.prefix(16)))
    }

    /// Those for the steps, as the store has its own; no project is called so.
    var secrets: [StoredSecret] {
        zip(about.secrets, values.suffix(about.secrets.count)).map { name, value in
            StoredSecret(
                project: Self.place(project, about.job), name: name, setMs: 0, setBy: "gitlab", sealed: value.bytes)
        }
    }

    fileprivate static func place(_ project: String, _ job: UInt64) -> String { "\(project) job \(job)" }
}

extension Broker {
    /// Of one token, and of all that comes with a job: its word has to fit a frame with its ticket.
    private static let tokenBytes = 512
    private static let valueBytes = 40 << 10

    func addGitLabHandlers(_ handlers: inout Handlers<ForgeEdge>) {
        on(&handlers, ForgeEdge.KeepRunner.self) { request, raw throws(Failure) in
            .init(word: try self.keep(request, raw))
        }
        on(&handlers, ForgeEdge.KeepJob.self) { request, raw throws(Failure) in
            .init(word: try self.keep(request, raw))
        }
        handlers.on(ForgeEdge.VouchJob.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.VouchJob.rule.name, self.refusals) { () throws(Failure) in
                .init(ticket: try self.vouch(request))
            }
        }
        handlers.on(ForgeEdge.CheckArtifact.self) { request, _, responder in
            Self.answer(responder, ForgeEdge.CheckArtifact.rule.name, self.refusals) { () throws(Failure) in
                try self.checkSeal(request)
                return .init()
            }
        }
        lend(&handlers, ForgeEdge.OpenRunner.self) { request throws(Failure) in
            try self.check(request.word, place: "word")
            if let rule = request.rule { try self.allow(request.word, to: rule) }
            return (.init(url: request.word.url), .value(Self.stored(request.word)))
        }
        // Whatever the rules say now: it goes back to where it came from.
        lend(&handlers, ForgeEdge.OpenJob.self) { request throws(Failure) in
            try self.check(request.word, place: "word")
            return (.init(url: request.word.url), .value(try Self.stored(request.word, token: Int(request.value))))
        }
    }

    private func on<Call: WireCall>(
        _ handlers: inout Handlers<ForgeEdge>, _ call: Call.Type,
        _ body: @escaping (Call, Int32) throws(Failure) -> Call.Reply
    ) where Call.Edge == ForgeEdge {
        let refusals = refusals
        handlers.on(call) { request, fds, responder in
            let raws = fds.raws
            Self.answer(responder, Call.rule.name, refusals) { () throws(Failure) in
                guard let raw = raws.first else { throw Failure(.wrongFds, "no value", place: "value") }
                return try body(request, raw)
            }
            // They are open as long as this lives.
            _ = consume fds
        }
    }

    /// Its rules, and the hash of what they say of its runner.
    private func runnerRules(_ project: String) throws(Failure) -> (policy: Policy, sealed: Bytes32) {
        guard let policy = content.policy(project), let sealed = policy.runner, policy.forge == .gitlab else {
            throw Failure(.deniedByPolicy, "no runner of GitLab's is for project '\(project)'", place: "project")
        }
        return (policy, sealed)
    }

    /// courierd hears from schedulerd what the runner is, and that has to be what somebody has sealed.
    @discardableResult
    func runnerRules(_ project: String, _ rule: RunnerRule) throws(Failure) -> (policy: Policy, sealed: Bytes32) {
        let (policy, sealed) = try runnerRules(project)
        let bytes: [UInt8]
        do { bytes = try rule.encoded() } catch { throw Failure(encoding: error, place: "rule") }
        guard Hashes.sha256(bytes) == sealed else {
            throw Failure(
                .deniedByPolicy, "the sealed rules of project '\(project)' have another gitlab_runner", place: "rule")
        }
        return (policy, sealed)
    }

    // MARK: runners

    private static func stored(_ word: GitLabRunnerWord) -> StoredSecret {
        StoredSecret(
            project: "\(word.project) runner", name: "\(word.id)", setMs: 0, setBy: "gitlab", sealed: word.token)
    }

    /// To ask for jobs. GitLab gives a runner those for which it was made, whatever the rules say now.
    private func allow(_ word: GitLabRunnerWord, to rule: RunnerRule) throws(Failure) {
        try runnerRules(word.project, rule)
        guard rule.registration == word.registration else {
            throw Failure(.deniedByPolicy, "the runner was registered for other jobs", place: "word")
        }
    }

    private func keep(_ request: ForgeEdge.KeepRunner, _ raw: Int32) throws(Failure) -> GitLabRunnerWord {
        let (policy, _) = try runnerRules(request.project, request.rule)
        let token = try Failure.secret { () throws(SecretError) in
            try Secret(contentsOf: raw, limit: Self.tokenBytes)
        }
        let sealed = try seal(token, "\(request.project) runner", "\(request.id)")
        return try stated(
            GitLabRunnerWord(
                project: request.project, url: policy.url, registration: request.rule.registration, id: request.id,
                token: sealed, obtainedMs: request.obtainedMs, expiresMs: request.expiresMs, generation: 0, issuedMs: 0,
                mac: Bytes32(0, 0, 0, 0)))
    }

    private func seal(_ value: borrowing Secret, _ place: String, _ name: String) throws(Failure) -> [UInt8] {
        do throws(VaultError) {
            return try vault.store.sealed(value, place, name, by: "gitlab", at: 0).sealed
        } catch {
            throw Failure(error)
        }
    }

    // MARK: jobs

    private func keep(_ request: ForgeEdge.KeepJob, _ raw: Int32) throws(Failure) -> GitLabJobWord {
        let (policy, sealed) = try runnerRules(request.project, request.rule)
        let about = request.about
        let given = try Failure.secret { () throws(SecretError) in
            try Secret(contentsOf: raw, limit: Self.valueBytes)
        }
        let place = GitLabJobWord.place(request.project, about.job)
        var values: [SealedValue] = []
        for (name, range) in try zip(Self.names(about), Self.values(in: given, count: Self.names(about).count)) {
            let value = try Failure.secret { () throws(SecretError) in
                try unsafe Secret(capacity: range.count) { (room) throws(SecretError) in
                    unsafe given.withBytes { unsafe room.copyMemory(from: .init(rebasing: $0[range])) }
                    return range.count
                }
            }
            values.append(SealedValue(bytes: try seal(value, place, name)))
        }
        return try stated(
            GitLabJobWord(
                project: request.project, url: policy.url, rule: sealed, about: about, values: values, generation: 0,
                issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
    }

    /// As what each value is sealed: tokens under names that no variable has.
    private static func names(_ about: KeptJob) -> [String] {
        (0...about.before.count).map { "token \($0)" } + about.secrets
    }

    private static func stored(_ word: GitLabJobWord, token index: Int) throws(Failure) -> StoredSecret {
        guard index <= word.about.before.count, index < word.values.count else {
            throw Failure(.notFound, "there is no such job before it", place: "value")
        }
        return StoredSecret(
            project: GitLabJobWord.place(word.project, word.about.job), name: "token \(index)", setMs: 0,
            setBy: "gitlab", sealed: word.values[index].bytes)
    }

    /// Where the values of an encoded JobValues are, read where they lie.
    private static func values(in given: borrowing Secret, count: Int) throws(Failure) -> [Range<Int>] {
        let ranges: [Range<Int>]? = unsafe given.withBytes { bytes in
            var (ranges, at): ([Range<Int>], Int) = ([], 2)
            func number(_ place: Int) -> Int? {
                unsafe place + 2 <= bytes.count ? Int(bytes[place]) << 8 | Int(bytes[place + 1]) : nil
            }
            guard number(0) == count else { return nil }
            for _ in 0..<count {
                guard let size = number(at), size > 0, at + 2 + size <= bytes.count else { return nil }
                ranges.append(at + 2..<at + 2 + size)
                at += 2 + size
            }
            return at == bytes.count ? ranges : nil
        }
        guard let ranges else { throw Failure(.invalid, "not the values of this job", place: "values") }
        return ranges
    }

    /// GitLab says whether its branch is protected; its values are there either way, as GitLab gives them out.
    private func vouch(_ request: ForgeEdge.VouchJob) throws(Failure) -> Ticket {
        let (word, definition) = (request.word, request.definition)
        let (policy, sealed) = try runnerRules(word.project)
        try check(word, place: "word")
        guard word.rule == sealed else {
            throw Failure(
                .deniedByPolicy, "the project's gitlab_runner was changed after the job had come; run it again",
                place: "word")
        }
        var bare = definition
        bare.source = nil
        let named = Set(definition.spec.steps.flatMap(\.secrets).map(\.name)).subtracting([GrantFormat.jobToken])
        guard definition.project == policy.project, try Self.hash(bare) == word.about.definition,
            named.isSubset(of: word.about.secrets), let order = word.order
        else { throw Failure(.invalid, "not the job that was kept", place: "definition") }
        return try stated(
            Ticket(
                order: order, subject: word.about.subject, project: policy.project,
                trust: word.about.protected ? .trusted : .untrusted, commit: word.about.commit,
                definition: try Self.hash(definition), secrets: named.sorted(), ownValues: true, generation: 0,
                issuedMs: 0, mac: Bytes32(0, 0, 0, 0)))
    }

    /// What goes up as a job's is what its runner has packed, whoever has carried it.
    private func checkSeal(_ request: ForgeEdge.CheckArtifact) throws(Failure) {
        try check(request.word, place: "word")
        guard let order = request.word.order else { throw Failure(.invalid, "no job", place: "word") }
        // No value, no grant, and no key for its runner.
        if request.word.about.secrets.isEmpty && request.seal == nil { return }
        let said: [UInt8]
        do { said = try request.files.encoded() } catch { throw Failure(encoding: error, place: "files") }
        guard let seal = request.seal,
            HMAC<SHA256>.isValidAuthenticationCode(
                seal.array, authenticating: said, using: sealKey(of: order, in: request.word.project))
        else { throw Failure(.deniedByPolicy, "not what the job's runner has packed", place: "seal") }
    }

    /// What a job brought along, for its grant; nil: its secrets are the project's.
    func ownValues(_ request: BrokerEdge.Grant) throws(Failure) -> [StoredSecret]? {
        guard request.ticket.ownValues else { return nil }
        guard let word = request.values else { throw Failure(.ticketRefused, "without its values", place: "values") }
        try check(word, place: "values")
        guard word.order == request.ticket.order, word.project == request.ticket.project else {
            throw Failure(.ticketRefused, "the values are another job's", place: "values")
        }
        return word.secrets.filter { request.ticket.secrets.contains($0.name) }
    }
}
