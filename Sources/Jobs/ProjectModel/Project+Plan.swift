// Project+Plan: an event becomes jobs. Which ones its filters say, how far they are trusted Trust does; nothing here
// asks a forge or a clock.

package import ForgeModel
import JobModel
package import TrustModel

/// What an event leads to.
package enum Plan: Equatable, Sendable {
    case nothing(Idle)
    case jobs(Work)

    /// Why nothing runs.
    package enum Idle: String, CaseIterable, Sendable {
        case otherRepository = "it is of another repository"
        case noCode = "it is not about code"
        case removed = "the branch or tag was removed"
        case closed = "the change is closed"
        case unchanged = "nothing changed that is tested"
        case noCommit = "the forge names no commit"
        case noJob = "no job is for it"
    }

    package struct Work: Equatable, Sendable {
        /// What is tested.
        package let source: Commit
        /// The branch or tag of a push; of a change, the branch where it is to go.
        package let reference: Reference
        package let decision: TrustDecision
        /// Where job files are read.
        package let definition: DefinitionSource
        /// The secrets that may be there, by name.
        package let secrets: [String]
        /// In the project's order.
        package let jobs: [ProjectJob]
    }

    /// A commit of the project's own repository. A branch is looked up once, before anything runs, and what was found
    /// then holds.
    package enum DefinitionSource: Equatable, Sendable {
        case commit(Commit)
        case branch(String)
    }
}

extension Plan.Work {
    /// The secrets that a job names and may not have here, sorted. A job with such does not run: without them it would
    /// fail at some step, and look as if that were the change's fault. Of a held job it is asked after the approval.
    package func missing(_ names: some Sequence<String>) -> [String] {
        Set(names).subtracting(secrets + [JobFile.jobTokenSecret]).sorted()
    }
}

extension Project {
    /// `files`: those that the commits change, with both names of one that was renamed; nil if that is not known, and
    /// then no job is left out for its paths. `approval`: the one on record for the change.
    package func plan(for event: Event, files: [String]?, approval: Approval?, _ revision: PolicyRevision) -> Plan {
        switch event {
        case .push(let push): plan(for: push, files: files)
        case .change(let change): plan(for: change, files: files, approval: approval, revision)
        case .comment, .button, .hint, .other: .nothing(.noCode)
        }
    }

    private func plan(for push: Push, files: [String]?) -> Plan {
        guard rules.owns(push.repository) else { return .nothing(.otherRepository) }
        guard let commit = push.after else { return .nothing(.removed) }
        let decision = rules.question(of: push).decision
        return work(
            on: push.reference, commit, decision, base: nil,
            jobs.filter { $0.runs(onPushTo: push.reference, files: files) })
    }

    private func plan(
        for change: Change, files: [String]?, approval: Approval?, _ revision: PolicyRevision
    ) -> Plan {
        guard rules.owns(change.repository) else { return .nothing(.otherRepository) }
        switch change.action {
        case .opened, .reopened, .updated: break
        case .closed, .merged: return .nothing(.closed)
        case .other: return .nothing(.unchanged)
        }
        guard let commit = change.head.commit else { return .nothing(.noCommit) }
        let decision = rules.question(of: change, approval: approval, revision: revision).decision
        return work(
            on: .branch(change.base.branch), commit, decision, base: change.base.commit,
            jobs.filter { $0.runs(onChangeTo: change.base.branch, files: files) })
    }

    private func work(
        on reference: Reference, _ source: Commit, _ decision: TrustDecision, base: Commit?, _ jobs: [ProjectJob]
    ) -> Plan {
        guard !jobs.isEmpty else { return .nothing(.noJob) }
        let definition: Plan.DefinitionSource =
            switch (decision.definition, reference, base) {
            case (.itself, _, _): .commit(source)
            case (.base, _, let base?): .commit(base)
            case (.base, .branch(let name), nil): .branch(name)
            case (.base, .tag, nil), (.defaultBranch, _, _): .branch(rules.defaultBranch)
            }
        return .jobs(
            Plan.Work(
                source: source, reference: reference, decision: decision, definition: definition,
                secrets: rules.secrets(for: decision, at: reference), jobs: jobs))
    }
}

extension ProjectJob {
    fileprivate func runs(onPushTo reference: Reference, files: [String]?) -> Bool {
        switch reference {
        case .branch(let name): events.contains(.push) && branches.admit(name) && concerns(files)
        // A tag changes no file.
        case .tag(let name): events.contains(.tag) && gitTags.admit(name)
        }
    }

    fileprivate func runs(onChangeTo branch: String, files: [String]?) -> Bool {
        events.contains(.pullRequest) && branches.admit(branch) && concerns(files)
    }

    /// Whether its filter on paths admits one of these, if they are known.
    package func concerns(_ files: [String]?) -> Bool {
        guard !paths.isEmpty, let files else { return true }
        return files.contains { paths.admit($0) }
    }
}
