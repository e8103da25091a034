// Arguments: a call as the command line has it.

import ForgeCalls
import ForgeModel
import Posix
import Secret

struct Wrong: Error { let what: String }

/// What stands behind the forge and its URL: the call, and its words. The repository's number and path come first, but
/// for `account`.
struct Arguments {
    let name: String
    let words: [String]

    init(_ arguments: ArraySlice<String>) throws {
        guard let name = arguments.first else { throw Wrong(what: "call") }
        (self.name, words) = (name, Array(arguments.dropFirst()))
    }

    private func word(_ index: Int) throws -> String {
        guard words.count > index else { throw Wrong(what: "word \(index)") }
        return words[index]
    }

    private func number(_ index: Int) throws -> UInt64 {
        guard let number = UInt64(try word(index)) else { throw Wrong(what: "number \(index)") }
        return number
    }

    private func commit(_ index: Int) throws -> Commit {
        guard let commit = Commit(try word(index)) else { throw Wrong(what: "commit \(index)") }
        return commit
    }

    private func state(_ index: Int) throws -> PostedState {
        guard let state = PostedState(rawValue: try word(index)) else { throw Wrong(what: "state \(index)") }
        return state
    }

    func call() throws -> ForgeCall {
        if name == "account" { return .account }
        let repository = Repository(id: try number(0), path: try word(1))
        switch name {
        case "status":
            return .postStatus(
                repository,
                CommitStatus(
                    commit: try commit(2), context: try word(3), state: try state(4), description: try word(5)))
        case "check":
            return .keepCheck(
                repository,
                CheckRun(
                    commit: try commit(2), name: try word(3), externalID: "probe", state: try state(4), title: "t",
                    summary: "s"))
        case "comment":
            let author = Account(id: try number(4), name: "")
            return .keepComment(
                repository,
                RollingComment(change: try number(2), name: try word(3), author: author, body: try word(5)))
        case "permission": return .permission(repository, Account(id: try number(2), name: try word(3)))
        case "change": return .change(repository, number: try number(2))
        case "files": return .changedFiles(repository, number: try number(2))
        case "file": return .file(repository, path: try word(3), try commit(2))
        case "survey": return .survey(repository, branch: try word(2))
        case "archive": return .archive(repository, try commit(2))
        default: throw Wrong(what: "call")
        }
    }
}

/// All of standard input.
func token() throws -> Secret {
    var token = try Secret(capacity: 4096)
    var isOpen = true
    while isOpen {
        try token.fill { (room) throws(PosixError) in
            if case .bytes(let count) = try Posix.read(0, into: room) { return count }
            isOpen = false
            return 0
        }
    }
    return token
}
