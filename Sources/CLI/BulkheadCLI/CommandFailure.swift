// CommandFailure: how a command says that it could not do what was asked, and what to do next.

import ArgumentParser
import Foundation
import JobModel

/// Exit statuses of the CLI that are its own. A followed job's status is the job's (see `JobExit`).
enum Exit: Int32 {
    case failure = 1
    /// EX_USAGE: the command line or a file named on it is wrong.
    case usage = 64
    /// EX_UNAVAILABLE: the daemons cannot be reached, or cannot answer now.
    case unavailable = 69
    /// EX_NOPERM: the token is missing or wrong.
    case unauthorized = 77
}

/// An error that a person reads: one sentence that says what is wrong and what to do.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let exit: Exit

    init(_ description: String, exit: Exit) {
        self.description = description
        self.exit = exit
    }

    /// All problems of a job file, a line each, with the file's name in front.
    init(_ problems: JobFileProblems, file: String) {
        let lines = problems.problems.map { "\(file):\($0.place == nil ? " " : "")\($0.description)" }
        self.init(lines.joined(separator: "\n"), exit: .usage)
    }
}

/// Prints what went wrong on standard error and ends with its status.
func runReporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let failure as CommandFailure {
        throw reported(failure)
    }
}

/// The same for a command that never waits for the network.
func reporting(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let failure as CommandFailure {
        throw reported(failure)
    }
}

private func reported(_ failure: CommandFailure) -> ExitCode {
    Terminal.error(failure.description)
    return ExitCode(failure.exit.rawValue)
}
