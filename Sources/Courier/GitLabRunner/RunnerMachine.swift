// RunnerMachine: one runner at GitLab, from its registration to its end, and the asking for jobs in between; without
// any I/O. A pool has one for all of its containers, or each container has one of its own (Registration).
//
//   unregistered -> keeping (its token) -> ready: asks, while there is room -> leaving -> gone
//
// The token itself is not here: the owner keeps it and puts it into requests. A new one is kept on disk before it is
// used, since GitLab says it once. RunnerMachine+Answers: what answers mean.

package import Exchange
import ForgeCalls

/// Which runners there are at GitLab.
package enum Registration: String, Sendable {
    /// One for a pool: it stays when the house stops, and only this instance leaves it.
    case pool
    /// One for each container: it is removed at its TEARDOWN.
    case runner
}

package struct RunnerMachine: ~Copyable {
    package enum Step: Equatable {
        case send(RunnerRequest, Ask)
        /// Ask again at this time, or when something has happened.
        case wait(until: UInt64)
        /// Something has to happen first.
        case nothing
        /// There is no such runner any more.
        case gone
    }

    /// What a request is for: how long it may take hangs on it.
    package enum Ask: Equatable, Sendable {
        case register
        case verify
        /// It may wait at the server for a minute.
        case job
        case rotate
        case leave
    }

    package enum Notice: Equatable, Sendable {
        /// Keep the token, then say `tokenKept`.
        case keep(KnownRunner, SecretText)
        /// The document of a job, for Payload. It is full of secrets.
        case job(SecretText)
        /// It goes on trying; a person may have to do something.
        case problem(RunnerProblem)
    }

    /// A runner whose token is kept. Seconds since 1970.
    package struct KnownRunner: Equatable, Sendable {
        package var id: UInt64
        package var obtained: UInt64
        package var expires: UInt64?

        package init(id: UInt64, obtained: UInt64, expires: UInt64?) {
            self.id = id
            self.obtained = obtained
            self.expires = expires
        }
    }

    package struct Manners: Sendable {
        /// Milliseconds between two questions that came to nothing: RUNNER_POLL_SECONDS.
        package var poll: UInt64 = 10_000
        /// Milliseconds after an answer that a person has to mend.
        package var long: UInt64 = 300_000
        /// 409 in a row that are asked again at once.
        package var conflicts = 3
        /// Attempts at leaving.
        package var farewells = 6
        /// The deprecated token is used to register.
        package var usesRegistrationToken = false

        package init() {}
    }

    enum Phase: Equatable {
        case unregistered
        case keeping(KnownRunner)
        case verifying(KnownRunner)
        case ready(KnownRunner)
        case leaving(KnownRunner, Farewell)
        case gone
    }

    enum Farewell: Equatable {
        /// Of this instance.
        case manager
        /// Of the runner.
        case runner
        /// Of the runner, by a person's token: its own is dead.
        case byNumber
    }

    let api: RunnerAPI
    let settings: RunnerSettings
    let registration: Registration
    let manners: Manners
    let policy: RetryPolicy
    var phase: Phase
    var flight: Ask?
    var room = 0
    var isStopping = false
    var lastUpdate: String?
    var notBefore: UInt64 = 0
    var (failures, conflicts, farewells) = (0, 0, 0)

    /// - Parameter known: a runner whose token was kept before; it is verified first.
    package init(
        _ settings: RunnerSettings, _ registration: Registration, by api: RunnerAPI, known: KnownRunner? = nil,
        manners: Manners = Manners(), policy: RetryPolicy = RetryPolicy()
    ) {
        self.settings = settings
        self.registration = registration
        self.api = api
        self.manners = manners
        var policy = policy
        policy.attempts = .max
        self.policy = policy
        phase = known.map { .verifying($0) } ?? .unregistered
    }

    package var known: KnownRunner? {
        switch phase {
        case .unregistered, .gone: nil
        case .keeping(let known), .verifying(let known), .ready(let known), .leaving(let known, _): known
        }
    }

    // MARK: what happens

    /// For so many jobs is room now. A question that is on its way may still bring one more.
    package mutating func hasRoom(for jobs: Int) { room = max(0, jobs) }

    /// A webhook says that there may be a job.
    package mutating func hint() {
        if failures == 0, case .ready = phase { notBefore = 0 }
    }

    /// The token that was to be kept is on disk.
    package mutating func tokenKept() {
        if case .keeping(let known) = phase { phase = .ready(known) }
    }

    /// No more jobs; the runner, or this instance of it, is to go. What is on its way is waited for: it may be a job.
    package mutating func stop() {
        isStopping = true
        notBefore = 0
    }

    // MARK: what to do

    /// - Parameters:
    ///   - now: milliseconds of a clock that only goes forward.
    ///   - wall: seconds since 1970.
    package mutating func next(now: UInt64, wall: UInt64) -> Step {
        if flight != nil { return .nothing }
        if isStopping { leave() }
        if case .gone = phase { return .gone }
        if now < notBefore { return .wait(until: notBefore) }
        switch phase {
        case .unregistered:
            return send(manners.usesRegistrationToken ? api.register(settings) : api.create(settings), .register)
        case .verifying: return send(api.verify(), .verify)
        case .keeping, .gone: return .nothing
        case .leaving(let known, let way): return send(farewell(known, way), .leave)
        case .ready(let known):
            if let due = Self.rotation(known), wall >= due { return send(api.rotate(), .rotate) }
            return room == 0 ? .nothing : send(api.askForJob(lastUpdate: lastUpdate), .job)
        }
    }

    private mutating func send(_ request: RunnerRequest, _ ask: Ask) -> Step {
        flight = ask
        return .send(request, ask)
    }

    /// When another token is asked for: a day before this one ends, or in the middle of a shorter life.
    static func rotation(_ known: KnownRunner) -> UInt64? {
        guard let end = known.expires else { return nil }
        let life = end > known.obtained ? end - known.obtained : 0
        return end - min(end, min(86_400, life / 2))
    }

    private mutating func leave() {
        switch phase {
        case .unregistered: phase = .gone
        case .verifying(let known), .ready(let known), .keeping(let known):
            phase = .leaving(known, registration == .pool ? .manager : .runner)
        case .leaving, .gone: break
        }
    }

    private func farewell(_ known: KnownRunner, _ way: Farewell) -> RunnerRequest {
        switch way {
        case .manager: api.unregisterManager()
        case .runner: api.unregister()
        case .byNumber: api.delete(known.id)
        }
    }
}
