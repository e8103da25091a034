// GitLab's branches and sources, and what differs between commits.

package import Exchange
package import ForgeCalls
package import ForgeModel

extension GitLabForge {
    /// `straight`: from the one to the other, and not from where they parted.
    package func askComparison(
        _ repository: Repository, _ base: Commit, _ head: Commit
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (path) throws(RequestTarget.BadPiece) in path.and("/repository/compare") }
        return server.get(target.query("from", base.hex).query("to", head.hex).query("straight", "true"))
    }

    package func readComparison(
        _ answer: ExchangeAnswer, from base: Commit
    ) throws(ForgeProblem) -> ChangedFiles {
        let fields = try Fields(answer)
        let files = try Self.files(try fields.list("diffs"))
        let isCut = try fields.flag("compare_timeout")
        return ChangedFiles(paths: files.flatMap { $0 }, isComplete: !isCut && files.count < mostCompared)
    }

    package func askBranch(_ repository: Repository, _ name: String) throws(ForgeProblem) -> ExchangeRequest {
        server.get(
            try target(repository) { (base) throws(RequestTarget.BadPiece) in
                // One piece here; its own pieces are looked at all the same.
                _ = try base.path(name)
                return try base.and("/repository/branches").segment(name)
            })
    }

    package func readBranch(_ answer: ExchangeAnswer, _ name: String) throws(ForgeProblem) -> Commit {
        let fields = try Fields(answer)
        guard try fields.word("name").utf8.elementsEqual(name.utf8) else { throw .foreign }
        return try fields.commit("commit.id")
    }

    // MARK: sources

    package func askFile(
        _ repository: Repository, _ path: String, _ commit: Commit
    ) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            // The whole path is one piece here; its own pieces are looked at all the same.
            _ = try base.path(path)
            return try base.and("/repository/files").segment(path).and("/raw")
        }
        return server.download(target.query("ref", commit.hex))
    }

    package func readFile(_ answer: ExchangeAnswer, _ commit: Commit) throws(ForgeProblem) -> [UInt8] {
        guard answer.header("x-gitlab-commit-id") == commit.hex else { throw .foreign }
        guard answer.body.count <= FileContent.most else { throw .tooMuch }
        guard answer.number("x-gitlab-size") == UInt64(answer.body.count) else { throw .field("x-gitlab-size") }
        return answer.body
    }

    package func askArchive(_ repository: Repository, _ commit: Commit) throws(ForgeProblem) -> ExchangeRequest {
        let target = try target(repository) { (base) throws(RequestTarget.BadPiece) in
            base.and("/repository/archive.tar.gz")
        }
        return server.download(target.query("sha", commit.hex))
    }
}
