// The jobs of one delivery on their way from the project's rules to their tickets. What is still missing is decided
// here, and asked of others by Scheduler+Errands. What was found lives here alone: after a restart it is asked for
// again.

import ForgeModel
import JobModel
import JobWire
import ProjectModel
import Store
import TrustModel
import TrustWire
import Wire

final class DeliveryErrand {
    /// What is to be done next for the job that it is at.
    enum Step: Equatable {
        /// Which files the commits touch.
        case files
        /// Where the change is based, which its delivery did not say.
        case base
        /// At a commit, or at the head of a branch.
        case jobFile(ProjectJob.CIFile, at: String, of: String)
        /// It waits for an approval.
        case hold(JobDefinition)
        case source
        case ticket(JobDefinition)
        /// It does not run; the remark is for people, empty where there is nothing to say.
        case leaveOut(String)

        fileprivate var text: String {
            switch self {
            case .files: "the forge is asked which files the commits touch"
            case .base: "the forge is asked what the change is based on"
            case .jobFile(let file, _, _): "the forge is asked for \(file.path)"
            case .source: "the forge is asked for the sources"
            case .hold, .leaveOut: "it is written down"
            case .ticket: "brokerd is asked for a ticket"
            }
        }
    }

    let row: DeliveryRow
    let project: Project
    let work: Plan.Work
    let approval: ApprovalWord?
    /// In the order in which they are done; the first is the one that it is at.
    private(set) var open: [OpenDeliveryJob]

    /// nil: not asked for. Paths that are not complete fit every filter.
    var files: CourierEdge.AskFiles.Reply?
    /// How often it was asked where the change is based.
    var baseAsked = 0
    var source: SourceWord?
    /// Of the job that it is at, if a file of the repository says it.
    var read: (definition: JobDefinition, word: FileWord)?

    /// What is being done for it, for people.
    private(set) var doing = "it is looked at"

    init(
        _ row: DeliveryRow, _ project: Project, _ work: Plan.Work, approval: ApprovalWord?, open: [OpenDeliveryJob]
    ) {
        self.row = row
        self.project = project
        self.work = work
        self.approval = approval
        self.open = open
    }

    /// The forge has told something.
    var hasAsked: Bool { source != nil || files != nil || read != nil }
    var word: DeliveryWord { row.word }
    var job: OpenDeliveryJob? { open.first }

    /// The next job's turn.
    func advance() {
        open.removeFirst()
        read = nil
    }

    /// As the forge's interface names it.
    var place: CourierEdge.ForgePlace? {
        word.event.repository.map { CourierEdge.ForgePlace(project: row.project, repository: $0.wire) }
    }

    var change: Change? {
        if case .change(let change)? = word.event.event { change } else { nil }
    }

    /// A branch or tag that was not there before: nobody can say what it changes.
    private var isAllNew: Bool {
        if case .push(let push)? = word.event.event { push.before == nil } else { false }
    }

    /// Nil when nothing is left.
    func next() throws -> Step? {
        let step = try missing()
        if let step { doing = step.text }
        return step
    }

    private func missing() throws -> Step? {
        guard let job else { return nil }
        guard let rule = project.jobs.first(where: { $0.name == job.name }) else {
            return .leaveOut("the project has no job '\(job.name)' any more")
        }
        // Who has waited for an approval was looked at before.
        if job.job == nil, !rule.paths.isEmpty, !isAllNew {
            guard let files else { return .files }
            if files.complete, !rule.concerns(files.files) { return .leaveOut("") }
        }
        if let change, change.base.commit == nil, row.base == nil { return .base }
        let definition: JobDefinition
        switch rule.definition {
        case .written(let file): definition = try file.definition(source: nil)
        case .file(let file):
            guard let read else { return toRead(file) }
            definition = read.definition
        }
        try SpecCheck.check(definition)
        if work.decision.isHeld { return .hold(definition) }
        if let name = work.missing(definition.secretNames).first {
            return .leaveOut("job '\(job.name)' does not run: secret '\(name)' is not there for this event")
        }
        guard rule.checkout else { return .ticket(definition) }
        guard let source else { return .source }
        var whole = definition
        whole.source = source.source
        return .ticket(whole)
    }

    private func toRead(_ file: ProjectJob.CIFile) -> Step {
        switch work.definition {
        case .commit(let commit): .jobFile(file, at: commit.hex, of: "")
        case .branch(let name): .jobFile(file, at: "", of: name)
        }
    }
}
