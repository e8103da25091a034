// A job as a probe runs it: not at all. Lines of its script that begin with `#probe` say what it does instead:
//
//     #probe log BYTES        writes so many bytes of log
//     #probe until-cancelled  goes on until GitLab says that it is cancelled
//     #probe exit CODE        ends so

import Exchange
import Files
import GitLabRunner
import Outbound
import Posix
import RunnerErrands

final class ProbeJob {
    private let given: GivenJob
    private let house: ProbeHouse
    private let log: FileDescriptor
    private var trace: TraceErrand?
    private var files: [FileErrand] = []
    private var logged = 0
    private var exitCode: UInt16 = 0
    private var isWaiting = false
    private var words: [[Substring]] = []

    init(_ given: GivenJob, in house: ProbeHouse) throws {
        self.given = given
        self.house = house
        log = try Posix.openTemporary("/tmp")
    }

    func start() throws {
        let trace = TraceErrand(
            given.handle, by: house.api, log: try log.duplicate(), isResumed: false, through: house.sender,
            on: house.loop, limits: house.limits, policy: house.policy,
            notice: { [weak self] in self?.take($0) },
            over: { [weak self] over in self?.end("\(over)") })
        self.trace = trace
        trace.start()
        switch given {
        case .refused(let job):
            print("refused: \(job.sentence)")
            write(Array((job.sentence + "\n").utf8))
            trace.finish(job.end)
        case .job(let job):
            words = job.steps.flatMap { $0.script.split(separator: "\n") }.filter { $0.hasPrefix("#probe ") }
                .map { $0.split(separator: " ").dropFirst().map { $0 } }
            print("job: \(job.name) secrets: \(job.secrets.map(\.name).joined(separator: ","))")
            download(job.dependencies[...])
        }
    }

    // MARK: files

    private func download(_ left: ArraySlice<Dependency>) {
        guard let dependency = left.first else { return run() }
        do {
            let file = try Posix.openTemporary("/tmp")
            let sink = FileSink(file.raw)
            let raw = file.release()
            let errand = FileErrand.download(
                dependency, most: 64 << 20, by: house.api, through: house.sender, on: house.loop, policy: house.policy
            ) { sink }
            files.append(errand)
            house.tokens.jobs[dependency.id] = dependency.token
            errand.start { [weak self] result in
                defer { FileDescriptor(owning: raw).close() }
                print("dependency: \(dependency.name) \(sink.bytes) of \(dependency.size) \(result.word)")
                self?.download(left.dropFirst())
            }
        } catch {
            print("failed: \(error)")
        }
    }

    private func upload(_ left: ArraySlice<ArtifactRule>) {
        guard case .job(let job) = given, let rule = left.first, let path = Posix.environment("ARTIFACT") else {
            return finish()
        }
        do {
            let file = try Posix.open(path, .readOnly)
            let size = UInt64(try Posix.fstat(file.raw).size)
            let raw = file.release()
            let errand = FileErrand.upload(
                raw, size: size, rule, of: job.handle.id, by: house.api, through: house.sender, on: house.loop,
                policy: house.policy)
            files.append(errand)
            errand.start { [weak self] result in
                FileDescriptor(owning: raw).close()
                print("artifact: \(rule.fileName) \(size) \(result.word)")
                self?.upload(left.dropFirst())
            }
        } catch {
            print("failed: \(error)")
        }
    }

    // MARK: what it does

    private func run() {
        guard let line = words.first else {
            if case .job(let job) = given { upload(job.artifacts[...]) }
            return
        }
        let number = line.count > 1 ? Int(line[1]) ?? 0 : 0
        switch line.first {
        case "log" where logged < number:
            let count = min(number - logged, 300_000)
            write((0..<count).map { Self.byte(logged + $0) })
            logged += count
            return house.loop.soon { [weak self] in self?.run() }
        case "until-cancelled":
            isWaiting = true
            return
        case "exit": exitCode = UInt16(clamping: number)
        default: break
        }
        words.removeFirst()
        run()
    }

    /// Lines that are not alike.
    static func byte(_ index: Int) -> UInt8 {
        index % 64 == 63 ? UInt8(ascii: "\n") : UInt8(0x21 + (index / 64 + index * 7) % 90)
    }

    private func write(_ bytes: [UInt8]) {
        do throws(PosixError) { try Posix.writeAll(log.raw, bytes) } catch { print("failed: \(error)") }
    }

    private func take(_ notice: TraceMachine.Notice) {
        print("notice: \(notice)")
        guard notice == .cancel, isWaiting else { return }
        write(Array("last words\n".utf8))
        trace?.finish(.cancelledThere)
    }

    private func finish() { trace?.finish(exitCode == 0 ? .succeeded : .failed(exitCode: exitCode)) }

    private func end(_ word: String) {
        print("over: \(word)")
        house.hasEnded(given.handle.id)
    }
}

extension Result where Failure == FileErrand.Failure {
    var word: String { if case .failure(let failure) = self { "\(failure)" } else { "ok" } }
}
