// A forge that tells what happened, and again what was not answered; and people who approve changes, or do not.

import Files
import JobWire
import Link
import Posix
import Store
import Wire

final class Forge {
    static let project = "hooks"
    /// Its jobs stand for two kinds: one for everything, and one for what is pushed to main.
    private static let document = """
        {"name": "hooks", "forge": {"kind": "github"}, "repository": {"id": 4711}, "default_branch": "main",
         "jobs": [
           {"name": "hooks-test", "checkout": false, "image": "alpine", "timeout": "1m",
            "resources": {"memory": "64MiB", "disk": "32MiB"},
            "steps": [{"run": "true"}]},
           {"name": "hooks-deploy", "events": ["push"], "branches": ["main"], "checkout": false,
            "image": "alpine", "timeout": "1m",
            "resources": {"memory": "64MiB", "disk": "32MiB"}, "steps": [{"run": "true"}]}
         ]}
        """
    private static let repository = ForgeRepository(id: 4711, path: "acme/shop")
    private static let eve = ForgeAccount(id: 2, name: "eve")

    private unowned let house: Simulation
    private var world: World { house.world }
    private var connection: Connection<SchedulerEdge>?
    private var life = 0
    /// Of the project, once it is there.
    private(set) var revision: Bytes32?
    /// What each delivery says, by the text of its body.
    private(set) var events: [String: ForgeEvent] = [:]
    private var open: Set<String> = []
    /// Deliveries as they were acknowledged.
    private(set) var acknowledged: [String: UInt64] = [:]
    private var number: UInt64 = 0
    private var changes: [UInt64: String] = [:]

    init(_ house: Simulation) { self.house = house }

    /// A new schedulerd.
    func connect(_ connection: Connection<SchedulerEdge>?) {
        self.connection = connection
        life += 1
        if revision == nil { apply() }
        for text in open.sorted() { sayAgain(text) }
    }

    private func apply() {
        guard !events.isEmpty, let connection else { return }
        let order = SealedOrder(
            key: Bytes32(1, 1, 1, 1), encapsulated: Bytes32(2, 2, 2, 2), order: [UInt8](repeating: 3, count: 40),
            value: [])
        let request = SchedulerEdge.ApplyProject(
            token: "let-me-in", order: order, document: Array(Self.document.utf8))
        let asked = life
        connection.call(request, deadline: .seconds(20)) { [weak self] result, _ in
            guard let self, asked == life, revision == nil else { return }
            switch result {
            case .success(let reply):
                revision = reply.revision
                for text in open.sorted() { send(text) }
            case .failure(let failure) where failure.errorCode.retry == .later:
                world.after(.second) { [weak self] in self?.apply() }
            case .failure(let failure): world.violated("the project is refused: \(failure.text)")
            }
        }
    }

    // MARK: what happens

    func happen() {
        number += 1
        switch world.below(10) {
        case 0..<3: tell("push \(number)", push(to: "main"))
        case 3..<5: tell("push \(number)", push(to: "feature"))
        case 5..<8:
            changes[number] = sha()
            tell("change \(number)", change(number, .opened))
        default:
            guard let older = changes.keys.sorted().last else { return tell("push \(number)", push(to: "main")) }
            if world.chance(70) { changes[older] = sha() }
            let action: ChangeAction = world.pick([.updated, .updated, .closed])
            tell("change \(older) again \(number)", change(older, action))
        }
    }

    private func tell(_ text: String, _ event: ForgeEvent) {
        let isFirst = events.isEmpty
        events[text] = event
        open.insert(text)
        if isFirst { apply() }
        send(text)
        // At least once.
        if world.chance(30) { world.after(world.between(0, 40 * .second)) { [weak self] in self?.send(text) } }
    }

    private func sha() -> String { (world.id().hex + world.id().hex).prefix(40).description }

    private func push(to branch: String) -> ForgeEvent {
        .push(
            PushEvent(
                repository: Self.repository, reference: GitReference(tag: false, name: branch), before: "",
                after: sha(), sender: ForgeAccount(id: 1, name: "ada")))
    }

    private func change(_ number: UInt64, _ action: ChangeAction) -> ForgeEvent {
        .change(
            ChangeEvent(
                repository: Self.repository, number: number, action: action,
                head: ChangeSide(
                    repository: ForgeRepository(id: 9, path: "eve/shop"), branch: "patch",
                    commit: changes[number] ?? ""),
                base: ChangeSide(
                    repository: Self.repository, branch: "main", commit: String(repeating: "b", count: 40)),
                author: Self.eve, sender: Self.eve, draft: false))
    }

    // MARK: deliveries

    private func send(_ text: String) {
        guard revision != nil, let connection else { return }
        let asked = life
        let request = SchedulerEdge.Deliver(forge: .github, project: Self.project, headers: [])
        do {
            connection.call(request, fd: try Self.file(text)) { [weak self] result, _ in
                guard let self, asked == life else { return }
                switch result {
                case .success(let reply): took(text, reply)
                case .failure(let failure) where failure.errorCode.retry == .later: sayAgain(text)
                case .failure(let failure): world.violated("'\(text)' is refused: \(failure.text)")
                }
            }
        } catch { world.violated("no file for a delivery: \(error)") }
    }

    private static func file(_ text: String) throws -> FileDescriptor {
        let body = try Posix.memoryFile("delivery")
        try Posix.writeAll(body.raw, Array(text.utf8)[...])
        return try Posix.open("/proc/self/fd/\(body.raw)", [.readOnly])
    }

    private func sayAgain(_ text: String) {
        world.after(world.between(100 * .millisecond, 5 * .second)) { [weak self] in
            if self?.open.contains(text) == true { self?.send(text) }
        }
    }

    private func took(_ text: String, _ reply: SchedulerEdge.Deliver.Reply) {
        world.trace("'\(text)' is delivery \(reply.delivery), \(reply.created ? "new" : "known")")
        if let known = acknowledged[text], known != reply.delivery || reply.created {
            world.violated("'\(text)' has made deliveries \(known) and \(reply.delivery)")
        }
        let isFirst = acknowledged[text] == nil
        acknowledged[text] = reply.delivery
        open.remove(text)
        guard isFirst, case .change? = events[text], world.chance(60) else { return }
        for _ in 0..<(1 + world.below(2)) {
            world.after(world.between(0, 60 * .second)) { [weak self] in self?.approve(reply.delivery) }
        }
    }

    // MARK: approvals

    /// Whatever waits of it, if anything does.
    private func approve(_ delivery: UInt64) {
        guard let connection else { return }
        var jobs: [UInt64] = []
        try? house.life?.store.read { rows in jobs = try rows.deliveryJobs(delivery).compactMap(\.job) }
        let order = SealedOrder(
            key: Bytes32(1, 1, 1, 1), encapsulated: Bytes32(2, 2, 2, 2), order: [UInt8](repeating: 4, count: 40),
            value: [])
        for job in jobs {
            world.trace("job \(job) is to be approved")
            connection.call(SchedulerEdge.ApproveJob(token: "let-me-in", job: job, order: order)) { _, _ in }
        }
    }

    var unanswered: [String] { open.sorted() }
}
