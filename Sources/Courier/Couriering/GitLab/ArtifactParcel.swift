// What a job leaves by one of its rules, on its way: copied, compared with the seal of the job's runner, packed as
// GitLab wants it, then sent; a piece in each pass of the loop. The copy is what counts: who gave the file can still
// write in it.

import Crypto
import Files
import GitLabRunner
import Link
import Posix
import RunnerErrands
import SourceArchive
import Wire

final class ArtifactParcel {
    private let courier: Courier
    private let request: CourierEdge.SendArtifact
    private let upload: GitLabUpload
    private let archive: FileDescriptor
    private let copy: ParcelFile
    private let file: ParcelFile
    private let api: RunnerAPI
    private let sender: RunnerSender
    private let limits: ArchiveLimits
    private var hash = SHA256()
    private var copied: UInt64 = 0
    private var packer: ArtifactPacker?
    private var errand: FileErrand?
    private var done: ((Failure?) -> Void)?
    private var timer: TimerID?

    init(
        _ courier: Courier, _ request: CourierEdge.SendArtifact, _ archive: consuming FileDescriptor, at api: RunnerAPI
    ) throws(Failure) {
        (self.courier, self.request, self.api) = (courier, request, api)
        upload = request.word.about.uploads[Int(request.rule)]
        sender = courier.sender(for: request.word, at: api)
        limits = ArchiveLimits(size: courier.settings.sourceBytes)
        copy = try ParcelFile(in: courier.settings.state)
        file = try ParcelFile(in: courier.settings.state)
        self.archive = archive
    }

    deinit { if let timer { courier.loop.cancel(timer) } }

    func start(within time: Duration, _ done: @escaping (Failure?) -> Void) {
        self.done = done
        timer = courier.loop.after(time) { [weak self] in
            self?.end(Failure(.deadlineExceeded, "GitLab takes the job's artifacts too slowly", place: "files"))
        }
        takeSome()
    }

    private func takeSome() {
        guard done != nil else { return }
        do throws(Failure) {
            let bytes = try ParcelFile.system { () throws(PosixError) in
                let bytes = try Posix.pread(archive.raw, maximum: 256 << 10, at: Int64(copied))
                try Posix.writeAll(copy.raw, bytes[...])
                return bytes
            }
            if bytes.isEmpty { return check() }
            copied += UInt64(bytes.count)
            if copied > limits.size { throw Failure(ArchiveProblem.tooLarge(limit: limits.size)) }
            hash.update(data: bytes)
            courier.loop.soon { [weak self] in self?.takeSome() }
        } catch {
            end(error)
        }
    }

    private func check() {
        guard let sha256 = Bytes32(bytes: Array(hash.finalize())) else { return end(Failure(.internal, "no hash")) }
        let question = ForgeEdge.CheckArtifact(
            word: request.word, files: LeftFiles(rule: UInt16(request.rule), size: copied, sha256: sha256),
            seal: request.seal)
        courier.broker.call(question) { [weak self] result, _ in
            guard let self, done != nil else { return }
            if case .failure(let failure) = result { return end(failure) }
            do throws(ArchiveProblem) {
                packer = try ArtifactPacker(
                    tar: copy.raw, format: SourceArchive.ArtifactFormat(upload.format), into: file.raw, limits: limits)
                pack()
            } catch {
                end(Failure(error))
            }
        }
    }

    private func pack() {
        guard done != nil, let packer else { return }
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
            file.raw, size: size, rule, of: request.word.about.job, by: api, through: sender, on: courier.loop)
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
