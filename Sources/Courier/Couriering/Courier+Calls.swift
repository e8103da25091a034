// What is told to a forge and asked of it.

import ForgeCalls
import ForgeModel
import Link
import TrustWire
import Wire

extension Courier {
    func postStatus(_ request: CourierEdge.PostStatus, _ responder: Responder<CourierEdge.PostStatus.Reply>) {
        visit(
            request.place, responder,
            at: { (home) throws(Failure) in
                home.app == nil
                    ? .postStatus(home.repository, try CommitStatus(request))
                    : .keepCheck(home.repository, try CheckRun(request))
            }
        ) { _ in
            responder.reply(.init())
        }
    }

    func postComment(_ request: CourierEdge.PostComment, _ responder: Responder<CourierEdge.PostComment.Reply>) {
        visit(request.place, responder) { (repository) throws(Failure) in
            .keepComment(
                repository,
                RollingComment(change: request.number, name: request.marker, author: nil, body: request.text))
        } then: { _ in
            responder.reply(.init())
        }
    }

    func askPermission(
        _ request: CourierEdge.AskPermission, _ responder: Responder<CourierEdge.AskPermission.Reply>
    ) {
        visit(request.place, responder) { (repository) throws(Failure) in
            .permission(repository, Account(request.account))
        } then: { [self] result in
            guard case .permission(let permission) = result else { return unexpected(responder, request.place) }
            let word = ForgeEdge.StatePermission(
                project: request.place.project, account: request.account, permission: permission.wire)
            broker.call(word) { [weak self] result, _ in
                switch result {
                case .success(let reply): responder.reply(.init(word: reply.word))
                case .failure(let failure): self?.fail(responder, request.place, failure)
                }
            }
        }
    }

    func askChange(_ request: CourierEdge.AskChange, _ responder: Responder<CourierEdge.AskChange.Reply>) {
        visit(request.place, responder) { (repository) throws(Failure) in
            .change(repository, number: request.number)
        } then: { [self] result in
            guard case .change(let found) = result else { return unexpected(responder, request.place) }
            let change = found.event(in: Repository(request.place.repository)).wire
            guard !change.head.commit.isEmpty, !change.base.commit.isEmpty else {
                return responder.reply(.init(change: change, base: nil))
            }
            let word = ForgeEdge.StateBase(
                project: request.place.project, number: change.number, head: change.head.commit,
                branch: change.base.branch, commit: change.base.commit)
            broker.call(word) { [weak self] result, _ in
                switch result {
                case .success(let reply): responder.reply(.init(change: change, base: reply.word))
                case .failure(let failure): self?.fail(responder, request.place, failure)
                }
            }
        }
    }

    func askBranch(_ request: CourierEdge.AskBranch, _ responder: Responder<CourierEdge.AskBranch.Reply>) {
        visit(request.place, responder) { (repository) throws(Failure) in
            .branch(repository, name: request.branch)
        } then: { [self] result in
            guard case .commit(let commit) = result else { return unexpected(responder, request.place) }
            responder.reply(.init(commit: commit.hex))
        }
    }

    func askFiles(_ request: CourierEdge.AskFiles, _ responder: Responder<CourierEdge.AskFiles.Reply>) {
        visit(request.place, responder) { (repository) throws(Failure) in
            let head = try Commit(named: request.head)
            return request.number == 0
                ? .comparison(repository, base: try Commit(named: request.base), head: head)
                : .changedFiles(repository, number: request.number, head: head)
        } then: { [self] result in
            guard case .changedFiles(let files) = result else { return unexpected(responder, request.place) }
            let (fitting, isCut) = files.fitting
            responder.reply(.init(files: fitting, complete: files.isComplete && !isCut))
        }
    }

    func unexpected<Reply: WireMessage>(_ responder: Responder<Reply>, _ place: CourierEdge.ForgePlace) {
        fail(responder, place, Failure(.internal, "another result than that of the question", place: "forge"))
    }
}
