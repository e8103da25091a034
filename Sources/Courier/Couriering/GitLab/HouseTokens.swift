// The tokens of GitLab's runner protocol, as courierd has them: brokerd is asked for one each time, and says where it
// goes. What is kept meanwhile are brokerd's own words, which are sealed.

import Exchange
import Files
import ForgeCalls
import GitLabRunner
import Link
import Posix
import RunnerErrands
import Secret
import Wire

final class HouseTokens: RunnerTokens {
    private static let limit = 8192
    private static let patience = Duration.seconds(30)

    private let broker: LinkClient<ForgeEdge>
    private let project: String
    /// The only place to which they go.
    private let url: String
    var runner: GitLabRunnerWord?
    /// By which the runner is to ask for jobs; nil: it leaves.
    var rule: RunnerRule?
    /// Hears that it may not.
    var denied: ((Failure) -> Void)?
    var job: GitLabJobWord?

    init(_ broker: LinkClient<ForgeEdge>, _ project: String, at url: String) {
        (self.broker, self.project, self.url) = (broker, project, url)
    }

    func fetch(_ token: RunnerToken, _ use: @escaping (consuming Secret?) -> Void) {
        switch token {
        case .person: ask(ForgeEdge.ReadToken(project: project, rule: rule), \.url, use)
        // GitLab has it off; what is configured here is a person's token.
        case .registration: use(nil)
        case .runner:
            guard let runner else { return use(nil) }
            ask(ForgeEdge.OpenRunner(word: runner, rule: rule), \.url, use)
        case .job(let number):
            guard let job, let value = Self.value(of: number, in: job.about) else { return use(nil) }
            ask(ForgeEdge.OpenJob(word: job, value: value), \.url, use)
        }
    }

    private static func value(of number: UInt64, in about: KeptJob) -> UInt8? {
        if number == about.job { return 0 }
        return about.before.firstIndex { $0.job == number }.map { UInt8($0 + 1) }
    }

    private func ask<Call: WireCall>(
        _ call: Call, _ home: @escaping (Call.Reply) -> String, _ use: @escaping (consuming Secret?) -> Void
    ) where Call.Edge == ForgeEdge {
        broker.call(call, deadline: Self.patience) { [url, weak self] result, fds in
            if case .failure(let failure) = result, failure.errorCode == .deniedByPolicy { self?.denied?(failure) }
            // Of another server than that to which it would be said.
            guard case .success(let reply) = result, home(reply) == url, let raw = fds.raws.first else {
                return use(nil)
            }
            do throws(SecretError) {
                use(try Secret(contentsOf: raw, limit: Self.limit))
            } catch {
                use(nil)
            }
            // It is open as long as this lives.
            _ = consume fds
        }
    }
}

/// Of a job that is told at once that it cannot run here: nobody keeps its token.
final class PassingToken: RunnerTokens {
    private let token: SecretText

    init(_ token: SecretText) { self.token = token }

    func fetch(_ token: RunnerToken, _ use: @escaping (consuming Secret?) -> Void) {
        do throws(SecretError) { use(try self.token.secret()) } catch { use(nil) }
    }
}

extension SecretText {
    /// In a file in memory, for brokerd, which may only read it.
    func file(_ name: String) throws(PosixError) -> FileDescriptor {
        let file = try Posix.memoryFile(name)
        try Posix.writeAll(file.raw, bytes[...])
        return try Posix.open("/proc/self/fd/\(file.raw)", .readOnly)
    }
}
