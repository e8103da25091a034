// What a job leaves by one of its rules, on its way: packed as GitLab wants it, a piece in each pass of the loop, then
// sent.

import GitLabRunner
import Link
import Posix
import RunnerErrands
import SourceArchive
import Wire

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
        sender = courier.sender(for: word, at: api)
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
