// What a job of GitLab's needs before it runs, and what it leaves behind.

import ForgeCalls
import ForgeModel
import GitLabRunner
import Link
import Outbound
import Posix
import RunnerErrands
import SourceArchive
import Wire

extension Courier {
    func prepareJob(_ request: CourierEdge.PrepareJob, _ responder: Responder<CourierEdge.PrepareJob.Reply>) {
        let (word, place) = (request.word, request.place)
        // Nobody's tree comes from another project's forge.
        guard place.project == word.project, request.definition.project == word.project else {
            return fail(responder, place, Failure(.invalid, "the job of another project", place: "project"))
        }
        guard parcels.count < settings.archives else {
            return fail(responder, place, Failure(.limitReached, "enough archives are under way", place: "archives"))
        }
        if word.about.commit.isEmpty { return wrap(request, nil, responder) }
        fetchArchive(place, word.about.commit, responder) { [self] archive, _ in wrap(request, archive, responder) }
    }

    private func wrap(
        _ request: CourierEdge.PrepareJob, _ tree: ArchiveFile?, _ responder: Responder<CourierEdge.PrepareJob.Reply>
    ) {
        home(of: request.word) { [weak self] result in
            guard let self else { return }
            let api: RunnerAPI
            switch result {
            case .success(let found): api = found
            case .failure(let failure): return fail(responder, request.place, failure)
            }
            var parcel: SourceParcel?
            let made = SourceParcel(self, request.word, tree, at: api) { [weak self] result in
                guard let self, let kept = parcel else { return }
                (parcel, parcels[ObjectIdentifier(kept)]) = (nil, nil)
                switch result {
                case .success(let source): vouch(request, source, kept, responder)
                case .failure(let failure): fail(responder, request.place, failure)
                }
            }
            parcel = made
            parcels[ObjectIdentifier(made)] = made
            made.start(within: archiveTime(for: responder))
        }
    }

    private func vouch(
        _ request: CourierEdge.PrepareJob, _ source: Source, _ parcel: SourceParcel,
        _ responder: Responder<CourierEdge.PrepareJob.Reply>
    ) {
        var definition = request.definition
        definition.source = source
        broker.call(ForgeEdge.VouchJob(word: request.word, definition: definition)) { [weak self] result, _ in
            do throws(Failure) {
                let ticket = try result.get().ticket
                responder.reply(.init(source: source, ticket: ticket), fd: try parcel.reader())
            } catch {
                self?.fail(responder, request.place, error)
            }
        }
    }

    /// Where the job came from, by brokerd's word.
    func home(of word: GitLabJobWord, _ done: @escaping (Result<RunnerAPI, Failure>) -> Void) {
        broker.call(ForgeEdge.OpenJob(word: word, value: 0)) { result, _ in
            switch result {
            case .failure(let failure): done(.failure(failure))
            case .success(let reply):
                guard let api = Self.api(reply.url) else {
                    return done(.failure(Failure(.invalid, "the forge's address cannot be used", place: "url")))
                }
                done(.success(api))
            }
        }
    }

    /// Speaks for a job and those before it, with their own tokens.
    func sender(for word: GitLabJobWord, at api: RunnerAPI) -> RunnerSender {
        let tokens = HouseTokens(broker, word.project, at: word.url)
        tokens.job = word
        return RunnerSender(api, by: outbound, tokens)
    }

    // MARK: what it leaves

    func sendArtifact(
        _ request: CourierEdge.SendArtifact, _ archive: consuming FileDescriptor,
        _ responder: Responder<CourierEdge.SendArtifact.Reply>
    ) {
        let uploads = request.word.about.uploads
        guard Int(request.rule) < uploads.count else {
            return responder.fail(Failure(.invalid, "there is no such rule", place: "rule"))
        }
        guard parcels.count < settings.archives else {
            return responder.fail(Failure(.limitReached, "enough archives are under way", place: "archives"))
        }
        let raw = archive.release()
        home(of: request.word) { [weak self] result in
            let archive = FileDescriptor(owning: raw)
            guard let self else { return }
            do throws(Failure) {
                let parcel = try ArtifactParcel(self, request, archive, at: try result.get())
                let id = ObjectIdentifier(parcel)
                parcels[id] = parcel
                parcel.start(within: archiveTime(for: responder)) { [weak self] failure in
                    self?.parcels[id] = nil
                    if let failure { responder.fail(failure) } else { responder.reply(.init()) }
                }
            } catch {
                responder.fail(error)
            }
        }
    }
}
