// Who sees and does what, by the word of brokerd on each request.

import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct RoleTests {
    private let house: House
    /// Of project shop, and of web.
    private let mine: UInt64
    private let theirs: UInt64

    init() throws {
        house = try House()
        mine = try house.submit("mine")
        theirs = try house.submit("theirs", project: "web")
    }

    /// A token of somebody who may do this.
    private func token(everywhere: Access = .metrics, _ roles: [String: Access] = [:]) -> String {
        let name = "\(everywhere) \(roles)"
        house.broker.callers[name] = .operator(
            .init(
                name: "alice", everywhere: everywhere,
                projects: roles.sorted { $0.key < $1.key }.map { .init(project: $0.key, access: $0.value) }))
        return name
    }

    private func listed(_ token: String, state: JobState? = nil, before: UInt64 = 0, limit: UInt16 = 50) throws
        -> [UInt64]
    {
        try house.call(SchedulerEdge.ListJobs(token: token, before: before, limit: limit, state: state)).jobs.map(\.id)
    }

    @Test func aListShowsWhatOneMaySee() throws {
        #expect(try listed(Samples.token) == [theirs, mine])
        #expect(try listed(token(everywhere: .read)) == [theirs, mine])
        #expect(try listed(token(["shop": .read])) == [mine])
        #expect(try listed(token(["shop": .read, "web": .write])) == [theirs, mine])
        #expect(try listed(token(["nothing": .admin])) == [])
        #expect(try listed(token()) == [])
    }

    /// Pages and states go on as they do for who sees all.
    @Test func pagesOfWhatOneMaySee() throws {
        let more = try (0..<5).map { try house.submit("more \($0)", project: $0 % 2 == 0 ? "web" : "lab") }
        let reader = token(["shop": .read, "web": .read])
        let visible = [mine, theirs, more[0], more[2], more[4]].sorted(by: >)
        #expect(try listed(reader) == visible)
        let page = try house.call(SchedulerEdge.ListJobs(token: reader, before: 0, limit: 2, state: nil))
        #expect(page.jobs.map(\.id) == Array(visible.prefix(2)) && page.next == visible[1])
        #expect(try listed(reader, before: page.next) == Array(visible.dropFirst(2)))
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: more[2], graceSeconds: 1))
        #expect(try listed(reader, state: .cancelled) == [more[2]])
        #expect(try listed(reader, state: .queued).contains(more[2]) == false)
    }

    @Test func whatOneMayNotSeeIsNotThere() throws {
        let reader = token(["shop": .read])
        #expect(try house.call(SchedulerEdge.GetJob(token: reader, job: mine)).summary.project == "shop")
        for id in [theirs, 4711] {
            let failure = try text(SchedulerEdge.GetJob(token: reader, job: id))
            #expect(failure == Failure(.notFound, "there is no job \(id)", place: "job"))
            #expect(try house.failure(SchedulerEdge.ExplainJob(token: reader, job: id)) == .notFound)
            #expect(try house.failure(SchedulerEdge.OpenLog(token: reader, job: id)) == .notFound)
            #expect(try house.failure(SchedulerEdge.CancelJob(token: reader, job: id, graceSeconds: 1)) == .notFound)
            #expect(try house.failure(SchedulerEdge.GetHeld(token: reader, job: id)) == .notFound)
            var ends: [ErrorCode?] = []
            house.watch(id, token: reader, { _ in Issue.record("told") }, { ends.append($0?.errorCode) })
            try house.run("refused") { ends == [.notFound] }
        }
        let project = try text(SchedulerEdge.GetProject(token: reader, project: "web"))
        let nothing = try text(SchedulerEdge.GetProject(token: reader, project: "nix"))
        #expect(project.text.replacing("web", with: "nix") == nothing.text && project.errorCode == .notFound)
    }

    @Test func toReadIsNotToWrite() throws {
        let (reader, writer) = (token(["shop": .read]), token(["shop": .write]))
        let cancel = SchedulerEdge.CancelJob(token: reader, job: mine, graceSeconds: 1)
        let denied = try text(cancel)
        #expect(denied.errorCode == .deniedByPolicy && denied.text.hasPrefix("you have read in project shop"))
        #expect(try house.failure(SchedulerEdge.OpenUpload(token: reader, size: 1)) == .deniedByPolicy)
        #expect(try house.failure(SchedulerEdge.FinishUpload(token: reader, upload: 1)) == .deniedByPolicy)
        let approve = SchedulerEdge.ApproveJob(token: reader, job: mine, order: Samples.order)
        #expect(try house.failure(approve) == .deniedByPolicy)
        _ = try house.call(SchedulerEdge.CancelJob(token: writer, job: mine, graceSeconds: 1))
        let row = try house.job(mine)
        #expect(row.state == .cancelled || row.cancelGrace == 1)
    }

    /// A document is staged before brokerd is asked: nobody's but an admin's of the project.
    @Test func aProjectIsItsAdmins() throws {
        let document = Array(
            #"""
            {"name": "shop", "forge": {"kind": "github", "url": "https://github.com"}, "repository": {"id": 1},
             "jobs": [{"name": "a", "image": "b", "steps": ["true"]}]}
            """#.utf8)
        func apply(_ token: String) -> SchedulerEdge.ApplyProject {
            .init(token: token, order: Samples.order, document: document)
        }
        let (writer, admin) = (token(["shop": .write]), token(["shop": .admin]))
        #expect(try house.failure(apply(writer)) == .deniedByPolicy)
        #expect(try house.failure(apply(token(["web": .admin]))) == .notFound)
        let remove = SchedulerEdge.RemoveProject(token: writer, order: Samples.order, project: "shop")
        #expect(try house.failure(remove) == .deniedByPolicy)
        #expect(house.broker.executed.isEmpty)
        _ = try house.call(apply(admin))
        func projects(_ token: String) throws -> [String] {
            try house.call(SchedulerEdge.ListProjects(token: token, after: "")).projects.map(\.name)
        }
        #expect(try projects(admin) == ["shop"] && projects(Samples.token) == ["shop"])
        #expect(try projects(token(["web": .read])) == [])
        #expect(try house.call(SchedulerEdge.ListProjects(token: admin, after: "shop")).projects.isEmpty)
    }

    @Test func theHouseIsForWhoMayAllOfIt() throws {
        let local = token(["shop": .admin])
        let pools = { (token: String) in SchedulerEdge.ListPools(token: token) }
        let create = { (token: String) in SchedulerEdge.CreateRunner(token: token, shape: Samples.shape()) }
        let drain = { (token: String) in SchedulerEdge.SetDrain(token: token, drain: true) }
        #expect(try house.failure(pools(local)) == .deniedByPolicy)
        #expect(try house.failure(create(local)) == .deniedByPolicy)
        #expect(try house.failure(create(token(everywhere: .read))) == .deniedByPolicy)
        #expect(try house.failure(drain(token(everywhere: .write))) == .deniedByPolicy)
        _ = try house.call(pools(token(everywhere: .read)))
        // The role is enough; the jobs have all runners that there may be.
        #expect(try house.failure(create(token(everywhere: .write))) == .limitReached)
        _ = try house.call(drain(token(everywhere: .admin)))
        // What every token may.
        #expect(try house.call(SchedulerEdge.GetStatus(token: token())).draining)
        #expect(try house.call(SchedulerEdge.WhoAmI(token: local)).projects == [.init(project: "shop", access: .admin)])
    }

    @Test func runnersOfOthersAreNotShown() throws {
        try house.run("a runner") { try house.runners().contains { $0.job == mine } }
        func runners(_ token: String) throws -> [UInt64?] {
            try house.call(SchedulerEdge.ListRunners(token: token)).runners.map(\.job)
        }
        #expect(try runners(Samples.token).contains(mine))
        #expect(try runners(token(["shop": .read])).contains(mine))
        #expect(try runners(token(["lab": .read])).isEmpty)
    }

    @Test func usersAndTokensPassThrough() throws {
        let users = try house.call(SchedulerEdge.ListUsers(token: Samples.token, after: ""))
        #expect(users.revision == 7 && users.more)
        let tokens = try house.call(SchedulerEdge.ListTokens(token: Samples.token, user: "bob", after: ""))
        #expect(tokens.tokens.map(\.user) == ["bob"])
        #expect(try house.failure(SchedulerEdge.ListUsers(token: "nobody's", after: "")) == .unauthorized)
    }

    /// The failure itself.
    private func text<Call: WireCall>(_ request: Call) throws -> Failure where Call.Edge == SchedulerEdge {
        do {
            _ = try house.call(request)
            return Failure(.internal, "\(Call.self) succeeded")
        } catch let failure as Failure {
            return failure
        }
    }
}
