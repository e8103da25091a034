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
        let archive = ArchiveFile(in: settings.state, limits: ArchiveLimits(size: settings.sourceBytes))
        let time = min(settings.archiveTime, responder.remaining ?? settings.archiveTime)
        let purpose = Visit.Purpose(
            call: { (repository) throws(Failure) in .archive(repository, try Commit(named: word.about.commit)) },
            limits: TransferLimits(body: settings.sourceBytes, total: time), time: time, archive: archive)
        visit(place, responder, purpose) { [self] _ in
            do throws(ArchiveProblem) {
                _ = try archive.finish()
                wrap(request, archive, responder)
            } catch {
                fail(responder, place, Failure(error))
            }
        }
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
            made.start(within: min(settings.archiveTime, responder.remaining ?? settings.archiveTime))
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
    private func home(of word: GitLabJobWord, _ done: @escaping (Result<RunnerAPI, Failure>) -> Void) {
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
                let parcel = try ArtifactParcel(
                    self, request.word, uploads[Int(request.rule)], archive, at: try result.get())
                let id = ObjectIdentifier(parcel)
                parcels[id] = parcel
                let time = min(settings.archiveTime, responder.remaining ?? settings.archiveTime)
                parcel.start(within: time) { [weak self] failure in
                    self?.parcels[id] = nil
                    if let failure { responder.fail(failure) } else { responder.reply(.init()) }
                }
            } catch {
                responder.fail(error)
            }
        }
    }
}

/// What a job leaves by one of its rules, on its way: packed as GitLab wants it, then sent.
final class ArtifactParcel {
    private let courier: Courier
    private let upload: GitLabUpload
    private let job: UInt64
    private let archive: FileDescriptor
    private let file: ParcelFile
    private let packer: ArtifactPacker
    private let api: RunnerAPI
    private let sender: RunnerSender
    private var errand: FileErrand?
    private var done: ((Failure?) -> Void)?
    private var timer: TimerID?

    init(
        _ courier: Courier, _ word: GitLabJobWord, _ upload: GitLabUpload, _ archive: consuming FileDescriptor,
        at api: RunnerAPI
    ) throws(Failure) {
        (self.courier, self.upload, job, self.api) = (courier, upload, word.about.job, api)
        let tokens = HouseTokens(courier.broker, word.project, at: word.url)
        tokens.job = word
        sender = RunnerSender(api, by: courier.outbound, tokens)
        file = try ParcelFile(in: courier.settings.state)
        do throws(ArchiveProblem) {
            packer = try ArtifactPacker(
                tar: archive.raw, format: SourceArchive.ArtifactFormat(upload.format), into: file.raw,
                limits: ArchiveLimits(size: courier.settings.sourceBytes))
        } catch {
            throw Failure(error)
        }
        self.archive = archive
    }

    deinit { if let timer { courier.loop.cancel(timer) } }

    func start(within time: Duration, _ done: @escaping (Failure?) -> Void) {
        self.done = done
        timer = courier.loop.after(time) { [weak self] in
            self?.end(Failure(.deadlineExceeded, "GitLab takes the job's artifacts too slowly", place: "files"))
        }
        pack()
    }

    private func pack() {
        guard done != nil else { return }
        do throws(ArchiveProblem) {
            if let packed = try packer.advance() { return packed.entries == 0 ? end(nil) : send(packed.size) }
            courier.loop.soon { [weak self] in self?.pack() }
        } catch {
            end(Failure(error))
        }
    }

    private func send(_ size: UInt64) {
        let rule = GitLabRunner.ArtifactRule(
            name: upload.name, paths: [], type: upload.kind, format: upload.format.format,
            expireIn: upload.expireIn.isEmpty ? nil : upload.expireIn)
        let errand = FileErrand.upload(
            file.raw, size: size, rule, of: job, by: api, through: sender, on: courier.loop)
        self.errand = errand
        errand.start { [weak self] result in
            if case .failure(let failure) = result {
                self?.end(failure.failure("the job's artifacts"))
            } else {
                self?.end(nil)
            }
        }
    }

    private func end(_ failure: Failure?) {
        errand = nil
        let done = done
        self.done = nil
        done?(failure)
    }
}

extension SourceArchive.ArtifactFormat {
    fileprivate init(_ format: Wire.ArtifactFormat) {
        self =
            switch format {
            case .zip: .zip
            case .gzip: .gzip
            case .raw: .raw
            }
    }
}
