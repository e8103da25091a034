// The source of a job of GitLab's: the tree of its commit, with the files of the jobs before it laid over it. All of it
// lies in files without a name until relayd has it.

import Exchange
import Files
import GitLabRunner
import Link
import Outbound
import Posix
import RunnerErrands
import SourceArchive
import Wire

final class SourceParcel {
    private let courier: Courier
    private let job: KeptJob
    /// Bytes that all files before this one may have yet.
    private var budget: UInt64
    private var timer: TimerID?
    private let tree: ArchiveFile?
    private let sender: RunnerSender
    private let api: RunnerAPI
    private var zips: [ParcelFile] = []
    private var errand: FileErrand?
    private var done: ((Result<Source, Failure>) -> Void)?
    private var file: ParcelFile?

    /// - Parameters:
    ///   - tree: of the commit, whole; nil: the job wants none.
    ///   - done: called once; until then somebody keeps this object.
    init(
        _ courier: Courier, _ word: GitLabJobWord, _ tree: ArchiveFile?, at api: RunnerAPI,
        _ done: @escaping (Result<Source, Failure>) -> Void
    ) {
        (self.courier, job, self.tree, self.api, self.done) = (courier, word.about, tree, api, done)
        budget = courier.settings.sourceBytes
        sender = courier.sender(for: word, at: api)
    }

    deinit { if let timer { courier.loop.cancel(timer) } }

    /// - Parameter time: for all of it; a server that drips keeps nobody's place.
    func start(within time: Duration) {
        timer = courier.loop.after(time) { [weak self] in
            self?.end(.failure(Failure(.deadlineExceeded, "the files of other jobs took too long", place: "files")))
        }
        fetch(job.before[...])
    }

    private func end(_ result: Result<Source, Failure>) {
        errand = nil
        let done = done
        self.done = nil
        done?(result)
    }

    private func fetch(_ left: ArraySlice<GitLabDependency>) {
        guard let next = left.first else { return lay() }
        let errand = FileErrand.download(
            Dependency(id: next.job, name: next.name, token: SecretText([]), fileName: next.file, size: next.size),
            most: budget, by: api, through: sender, on: courier.loop
        ) { [weak self] in self?.begin() ?? Nowhere() }
        self.errand = errand
        errand.start { [weak self] result in
            guard let self, done != nil else { return }
            if case .failure(let failure) = result {
                return end(.failure(failure.failure("the files of job '\(next.name)'")))
            }
            if let file {
                budget -= min(budget, file.size)
                zips.append(file)
            }
            fetch(left.dropFirst())
        }
    }

    /// An attempt, from the start; what an earlier one has left is gone.
    private func begin() -> any BodySink {
        do throws(Failure) {
            let file = try ParcelFile(in: courier.settings.state)
            self.file = file
            return FileSink(file.raw)
        } catch {
            return Nowhere()
        }
    }

    private func lay() {
        do throws(Failure) {
            let file = try ParcelFile(in: courier.settings.state)
            self.file = file
            let source = try tree.map { (tree) throws(Failure) in
                do throws(ArchiveProblem) { return try tree.descriptor() } catch { throw Failure(error) }
            }
            let overlay = SourceOverlay(
                source: source, zips: zips.map(\.raw), into: file.raw,
                limits: ArchiveLimits(size: courier.settings.sourceBytes))
            goOn(overlay)
        } catch {
            end(.failure(error))
        }
    }

    /// A piece in each pass of the loop: others are served in between.
    private func goOn(_ overlay: SourceOverlay) {
        guard done != nil else { return }
        do throws(ArchiveProblem) {
            if let made = try overlay.advance() {
                guard let sha = Bytes32(bytes: made.sha256) else {
                    return end(.failure(Failure(.internal, "no hash", place: "archive")))
                }
                return end(.success(Source(sha256: sha, size: made.size)))
            }
            courier.loop.soon { [weak self] in self?.goOn(overlay) }
        } catch {
            end(.failure(Failure(error)))
        }
    }

    /// The archive, for reading only.
    func reader() throws(Failure) -> FileDescriptor {
        guard let file else { throw Failure(.internal, "no archive", place: "archive") }
        return try file.reader()
    }
}

private final class Nowhere: BodySink {
    func take(_ piece: ArraySlice<UInt8>) -> Bool { false }
}
