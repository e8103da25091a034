// Approve: somebody vouches for the commits of a change whose jobs wait. The order names them, so what was looked at is
// what is approved.

import ArgumentParser
import Foundation
import Glibc
import Wire

struct Approve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Approve the change of a held job: its commits into its branch, and no later ones.",
        discussion: """
            Look at the change first. On a terminal you are shown its commit, and the branch where
            it is to go, and asked; elsewhere name the commit that you have looked at, and the
            branch too if the change must not have been sent to another one. All jobs of the
            change that wait are released; a push to the change and another branch end the approval.

            EXAMPLES
              bulkhead approve 17
              bulkhead approve 17 --head 0123456789abcdef0123456789abcdef01234567 --into main
            """)

    @Argument(help: "The job's number.") var job: UInt64
    @Option(help: ArgumentHelp("The commit that you have looked at, its whole name.", valueName: "commit"))
    var head: String?
    @Option(help: ArgumentHelp("The branch where the change is to go.", valueName: "branch")) var into: String?
    @OptionGroup var keys: KeyOptions
    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let client = try options.client()
            let key = try keys.required(options.files)
            let data = try await client.send(try client.request("GET", "/jobs/\(job)/held"))
            let held = try client.decoded(HeldAnswer.self, data)
            try confirm(held)
            guard let revision = Bytes32(hex: held.revision) else {
                throw CommandFailure(
                    "the server named rules that are no hash: it is of another version", exit: .failure)
            }
            let order = ApproveOrder(
                project: held.project, number: held.number, head: held.head, base: held.base, branch: held.branch,
                revision: revision)
            var request = try client.request("POST", "/jobs/\(job)/approve")
            request.body = .bytes(try OrderDesk(client: client, key: key).seal(.approve(order)).encoded())
            request.headers["Content-Type"] = "application/octet-stream"
            let answer = try await client.send(request)
            if options.json { return options.printJSON(answer) }
            let count = try client.decoded(ApprovedAnswer.self, answer).jobs
            Terminal.print(
                "change \(held.number) of \(held.project) at \(held.head) into \(Terminal.printable(held.branch)) is "
                    + "approved: "
                    + (count == 1 ? "1 job is released" : "\(count) jobs are released"))
        }
    }

    private func confirm(_ held: HeldAnswer) throws {
        let branch = Terminal.printable(held.branch)
        if let into, !into.utf8.elementsEqual(held.branch.utf8) {
            throw CommandFailure("the change is to go into \(branch) now", exit: .failure, code: "conflict")
        }
        if let head {
            guard head == held.head else {
                throw CommandFailure(
                    "the change is at \(Terminal.printable(held.head)) now; look at that, and name it", exit: .failure,
                    code: "conflict")
            }
            return
        }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure("name the commit that you have looked at: --head COMMIT", exit: .usage)
        }
        Terminal.note(
            "change \(held.number) of \(held.project), by \(Terminal.printable(held.author)), into \(branch), at "
                + held.head)
        FileHandle.standardError.write(Data("approve exactly this commit into \(branch)? [y/N] ".utf8))
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw CommandFailure("nothing was approved", exit: .failure)
        }
    }
}

struct HeldAnswer: Decodable {
    let project: String
    let number: UInt64
    let head: String
    let base: String
    let branch: String
    let revision: String
    let author: String
}

struct ApprovedAnswer: Decodable {
    let jobs: Int
}
