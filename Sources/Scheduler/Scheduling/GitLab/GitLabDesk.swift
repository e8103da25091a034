// Jobs of GitLab's: which runners there are, how many jobs may come, and what becomes of each until GitLab has its end.
// courierd speaks GitLab's protocol; what has to survive is in the rows, written before courierd hears that we have it.
// GitLabDesk+Runners asks for jobs, GitLabDesk+Jobs prepares them, GitLabDesk+Reports tells GitLab.

import Daemon
import JobModel
import JobWire
import Link
import ProjectModel
import Store
import TrustModel
import Wire

/// Lives on the scheduler's loop, and as long as it.
final class GitLabDesk {
    struct RunnerKey: Hashable {
        let project: String
        let slot: UInt64
    }

    struct JobKey: Hashable {
        let project: String
        let number: UInt64
    }

    /// A project with a runner, as its rules say.
    struct Served: Equatable {
        let place: CourierEdge.ForgePlace
        let rule: RunnerRule
        /// Of its GitLab.
        let url: String

        /// One for each job.
        var isOwn: Bool { rule.registration.own }

        /// Whether a runner was registered with what these rules say, where they say it.
        func isMine(_ row: GitLabRunnerRow) -> Bool {
            row.leave.place == place && row.word.url == url && row.word.registration == rule.registration
        }
    }

    /// A runner's question that is under way.
    struct Asking {
        /// Counts questions: an answer to an older one is nobody's.
        let number: Int
        /// The runner, as soon as it is known, and so many jobs it may bring.
        var slot: UInt64?
        var jobs = 0
    }

    unowned let scheduler: Scheduler
    var served: [String: Served] = [:]
    /// One for each project.
    var asking: [String: Asking] = [:]
    var questions = 0
    /// The last job that is on disk, by the runner that brought it.
    var taken: [RunnerKey: UInt64] = [:]
    /// Why no jobs come, by project; and of which of these GitLab's runner itself has told.
    var troubles: [String: Failure] = [:]
    var toldByRunner: Set<String> = []
    /// All rules were read: who is not served wants no runner.
    var rulesAreKnown = false
    /// Runners of rules that hold no longer, which are to leave.
    var leaving: Set<RunnerKey> = []
    var works: [JobKey: GitLabWork] = [:]
    /// By our jobs' numbers.
    var numbers: [UInt64: JobKey] = [:]

    init(_ scheduler: Scheduler) { self.scheduler = scheduler }

    // MARK: what happens

    /// At a start.
    func takeUp() {
        let fail = { (failure: Failure) in
            self.scheduler.log.error("jobs of GitLab's are not taken up", ["why": failure.text])
        }
        scheduler.batch.question("jobs of GitLab's", fail: fail) { unit in
            let rows = try unit.rows.gitlabJobs()
            unit.afterCommit { for row in rows { self.follow(GitLabWork(row, isResumed: true)) } }
        }
    }

    /// As the project's rules now say.
    func set(_ project: Project) {
        let name = project.rules.name
        guard let runner = project.runner else { return end(name) }
        let repository = project.rules.repository
        let place = CourierEdge.ForgePlace(
            project: name, repository: .init(id: repository.id ?? 0, path: repository.path ?? "-"))
        let now = Served(place: place, rule: runner.rule, url: project.rules.forge.url)
        guard served.updateValue(now, forKey: name) != now else { return }
        // brokerd had these rules a moment before us.
        if troubles[name]?.errorCode == .deniedByPolicy { isWell(name) }
        asking[name] = nil
        ask(name)
        // Jobs that were taken while the rules could not be read.
        for work in works.values where work.row.project == name { goOn(work) }
    }

    /// The project has no runner any more. Those that it had leave GitLab; then `done` is called, or after a while.
    func end(_ project: String, _ done: @escaping () -> Void = {}) {
        (troubles[project], asking[project]) = (nil, nil)
        guard served.removeValue(forKey: project) != nil else { return done() }
        leaveAll(project, done)
    }

    /// At a start, when the rules of all projects were read.
    func knowsRules() {
        rulesAreKnown = true
        leaveUnserved()
    }

    func courierIsUp() {
        asking = [:]
        for work in works.values { work.linkIsNew() }
        for project in served.keys { ask(project) }
        leaveUnserved()
        goOnWithAll()
    }

    func relayIsUp() { goOnWithAll() }

    private func goOnWithAll() { for work in works.values { goOn(work) } }

    /// Of all jobs, after each commit.
    func note(_ changes: [JobChange]) {
        if served.isEmpty && works.isEmpty { return }
        for change in changes {
            if let work = numbers[change.job].flatMap({ works[$0] }) { goOn(work) }
        }
        if !scheduler.isArmed(.room) { scheduler.arm(.room, after: .milliseconds(100)) { _ in self.tellRoom() } }
    }

    // MARK: room

    /// For so many jobs of this shape there is a place now, behind those that wait or are on their way. Each project is
    /// told the same: what comes too much waits like any other job.
    func room(_ unit: UnitOfWork, _ rule: RunnerRule) throws -> Int {
        let settings = scheduler.settings
        guard !scheduler.isDraining, let host = scheduler.host, scheduler.engineTrouble == nil else { return 0 }
        let resources = rule.shape.resources
        let fitting = min(
            settings.cpuCapacity(host) / max(1, UInt64(resources.cpuMillis)),
            settings.memoryCapacity(host) / max(1, resources.memoryBytes))
        // What is over here and not yet there holds its place, too.
        let coming = works.values.count { $0.row.job == nil || $0.isEnded }
        let there = try unit.rows.queuedCount() + unit.rows.runningCount() + coming
        return max(0, min(settings.runnerLimit, Int(clamping: fitting)) - there)
    }

    /// To questions that wait: there is more room, or less.
    func tellRoom() {
        guard !asking.isEmpty, scheduler.courier.isReady else { return }
        scheduler.batch.question("room", fail: { _ in }) { unit in
            for (project, question) in self.asking {
                guard let served = self.served[project], let slot = question.slot else { continue }
                let room = try self.jobs(served, unit)
                guard room != question.jobs else { continue }
                unit.afterCommit {
                    self.asking[project]?.jobs = room
                    self.scheduler.courier.setRoom(
                        .init(project: project, slot: slot, jobs: UInt16(clamping: room), hint: false))
                }
            }
        }
    }

    func jobs(_ served: Served, _ unit: UnitOfWork) throws -> Int {
        let room = try room(unit, served.rule)
        return served.isOwn ? min(room, 1) : room
    }

    /// GitLab says by a webhook that something waits.
    func hint(_ project: String) {
        guard let question = asking[project], let slot = question.slot, question.jobs > 0 else { return }
        scheduler.courier.setRoom(
            .init(project: project, slot: slot, jobs: UInt16(clamping: question.jobs), hint: true))
    }
}
