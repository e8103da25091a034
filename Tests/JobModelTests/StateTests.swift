// The tables of states against docs/job-states.md: the page shows every cell, and exactly what the code does.

import Foundation
import JobModel
import Testing

@Suite struct StateTests {
    /// One row of the page: under which heading, for which event, what it says.
    struct PageCell: Hashable {
        let machine: String
        let state: String
        let event: String
        let outcome: String
        let guarantee: String
    }

    @Test func thePageSaysWhatTheJobTableDoes() throws {
        let page = try Self.page().filter { $0.machine == "Jobs" }
        #expect(page.count == JobState.allCases.count * JobEvent.allCases.count)
        for state in JobState.allCases {
            for event in JobEvent.allCases {
                let cell = state.cell(on: event)
                let outcome = Self.text(cell.outcome) { $0.label }
                let wanted = PageCell(
                    machine: "Jobs", state: state.label, event: event.rawValue, outcome: outcome,
                    guarantee: cell.guarantee)
                #expect(page.contains(wanted), "\(wanted)")
            }
        }
    }

    @Test func thePageSaysWhatTheRunnerTableDoes() throws {
        let page = try Self.page().filter { $0.machine == "Runners" }
        #expect(page.count == RunnerState.allCases.count * RunnerEvent.allCases.count)
        for state in RunnerState.allCases {
            for event in RunnerEvent.allCases {
                let cell = state.cell(on: event)
                let outcome = Self.text(cell.outcome) { $0.label }
                let wanted = PageCell(
                    machine: "Runners", state: state.label, event: event.rawValue, outcome: outcome,
                    guarantee: cell.guarantee)
                #expect(page.contains(wanted), "\(wanted)")
            }
        }
    }

    @Test(arguments: JobState.allCases.filter(\.isFinal)) func aFinalStateNeverChanges(_ state: JobState) {
        for event in JobEvent.allCases {
            switch state.cell(on: event).outcome {
            case .moves, .stays: Issue.record("\(state) moves on \(event)")
            case .ignored, .refused: break
            }
        }
    }

    /// Whoever cancels gets an end: at once, or by asking and, if that does not help, by force.
    @Test(arguments: JobState.allCases.filter { !$0.isFinal })
    func everyUnfinishedJobCanBeCancelled(_ state: JobState) {
        let withdrawn = state.cell(on: .withdrawn).outcome == .moves(.cancelled)
        let forced = state.cell(on: .cancelForced).outcome == .moves(.cancelled)
        #expect(withdrawn || forced)
    }

    /// But for one word, which follows a fault of the house and the policy of the job.
    @Test func aJobThatHasBegunIsNeverQueuedAgain() {
        for event in JobEvent.allCases where event != .retried {
            #expect(JobState.running.cell(on: event).outcome != .moves(.queued))
        }
    }

    @Test func everyRunnerComesToTeardownAndGoes() {
        for state in RunnerState.allCases where state != .teardown && state != .gone {
            #expect(state.cell(on: .failed).outcome == .moves(.teardown))
        }
        #expect(RunnerState.teardown.cell(on: .removed).outcome == .moves(.gone))
        for state in RunnerState.allCases where state != .teardown {
            #expect(state.cell(on: .removed).outcome != .moves(.gone), "only what is torn down goes")
        }
    }

    @Test func aRunnerIsUsedOnce() {
        for state in RunnerState.allCases where state != .idle {
            #expect(state.cell(on: .taken).outcome == .refused)
        }
        for event in RunnerEvent.allCases {
            #expect(RunnerState.busy.cell(on: event).outcome != .moves(.idle))
        }
    }

    // MARK: the page

    private static func text<State>(_ outcome: StateOutcome<State>, _ label: (State) -> String) -> String {
        switch outcome {
        case .moves(let state): label(state)
        case .stays: "stays"
        case .ignored: "ignored"
        case .refused: "refused"
        }
    }

    /// Rows `| event | outcome | guarantee |` under `## Machine` and `### STATE`.
    private static func page() throws -> Set<PageCell> {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/job-states.md"), encoding: .utf8)
        var machine = ""
        var state = ""
        var cells: Set<PageCell> = []
        for line in text.split(separator: "\n").map(String.init) {
            if line.hasPrefix("### ") {
                state = String(line.dropFirst(4))
            } else if line.hasPrefix("## ") {
                machine = String(line.dropFirst(3))
                state = ""
            } else if line.hasPrefix("| "), !state.isEmpty {
                let parts = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                guard parts.count == 3, parts[0] != "event" else { continue }
                let cell = PageCell(
                    machine: machine, state: state, event: parts[0], outcome: parts[1], guarantee: parts[2])
                #expect(cells.insert(cell).inserted, "twice: \(cell)")
            }
        }
        return cells
    }
}
