// CommandFailure: how a command says that it could not do what was asked, and what to do next.

import ArgumentParser
import Foundation
package import JobModel

/// Exit statuses of the CLI that are its own. A followed job's status is the job's (see `JobExit`).
package enum Exit: Int32, Sendable {
    case failure = 1
    /// EX_USAGE: the command line or a file named on it is wrong.
    case usage = 64
    /// EX_UNAVAILABLE: the daemons cannot be reached, or cannot answer now.
    case unavailable = 69
    /// EX_NOPERM: the token is missing or wrong.
    case unauthorized = 77
    /// 128 + SIGINT: Ctrl-C ended the watching of a job.
    case interrupted = 130
}

/// An error that a person reads: one sentence that says what is wrong and what to do.
package struct CommandFailure: Error, CustomStringConvertible {
    package let description: String
    let exit: Exit
    /// The API's word for it (`conflict`, `order_refused`); nil if the error is the command's own.
    package let code: String?

    package init(_ description: String, exit: Exit, code: String? = nil) {
        self.description = description
        self.exit = exit
        self.code = code
    }

    /// The problems of a job file, a line each, with the file's name in front.
    package init(_ problems: JobFileProblems, file: String) {
        var lines = problems.problems.map { "\(file):\($0.place == nil ? " " : "")\($0.description)" }
        if problems.more > 0 { lines.append("\(file): and \(problems.more) more mistakes") }
        self.init(lines.joined(separator: "\n"), exit: .usage)
    }
}

/// Prints what went wrong on standard error, as JSON for whoever asked for JSON, and ends with its status.
func runReporting(json: Bool, _ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch {
        throw reported(error, json: json)
    }
}

/// The same for a command that never waits for the network.
func reporting(json: Bool = false, _ body: () throws -> Void) throws {
    do {
        try body()
    } catch {
        throw reported(error, json: json)
    }
}

private func reported(_ error: any Error, json: Bool) -> any Error {
    // What a job's end or the parser of the command line has to say.
    if error is ExitCode || error is CleanExit { return error }
    let failure =
        error as? CommandFailure
        ?? CommandFailure("the system refuses: \(CommandFailure.cause(of: error))", exit: .failure)
    if json { Terminal.note(failure.json) } else { Terminal.error(failure.description) }
    return ExitCode(failure.exit.rawValue)
}

extension CommandFailure {
    /// `{"error": {"code", "message", "exit"}}` on one line. `code` is the API's, or one of failed, usage, unavailable,
    /// unauthorized, interrupted.
    package var json: String {
        struct Report: Encodable {
            struct Body: Encodable {
                let code: String
                let message: String
                let exit: Int32
            }

            let error: Body
        }
        let word =
            switch exit {
            case .failure: "failed"
            case .usage: "usage"
            case .unavailable: "unavailable"
            case .unauthorized: "unauthorized"
            case .interrupted: "interrupted"
            }
        let report = Report(error: .init(code: code ?? word, message: description, exit: exit.rawValue))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and a number always encode.
        return (try? encoder.encode(report)).map { Terminal.safe(json: String(decoding: $0, as: UTF8.self)) } ?? ""
    }
}
