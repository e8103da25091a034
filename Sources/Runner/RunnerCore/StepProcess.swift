// One step's process and the pipes that its output comes through. Made and driven by Runner.

import Endpoints
import Posix
import Processes
import Wire

/// The running program of one step, and all that it starts: a session of its own.
final class StepProcess {
    let index: Int
    let pid: Int32
    /// The kernel's count of memory kills before the step.
    let memoryKillsBefore: UInt64?
    private(set) var outputs: [StepOutput]

    /// Starts it.
    /// - Throws: `.spawn(stage:errno:)` when the shell or its directory is missing, and what pipes and loops throw.
    init(
        _ index: Int, _ child: ChildSpec, memory: MemoryWatch, loop: PollLoop,
        onReadable: @escaping (StepOutput) -> Void
    ) throws(PosixError) {
        let stdout = try Posix.pipe()
        let stderr = try Posix.pipe()
        var child = child
        child.stdout = stdout.second.raw
        child.stderr = stderr.second.raw
        child.newSession = true
        memoryKillsBefore = memory.kills()
        let started = memory.asFirstVictim { () -> Result<Int32, PosixError> in
            do throws(PosixError) { return .success(try Posix.spawn(child)) } catch { return .failure(error) }
        }
        pid = try started.get()
        self.index = index
        // Our copies of the writing ends are closed here: the end of the file is the end of the step's writers.
        outputs = [
            StepOutput(UInt16(index), .stdout, stdout.keepFirst(), loop),
            StepOutput(UInt16(index), .stderr, stderr.keepFirst(), loop),
        ]
        for output in outputs { try output.start(onReadable) }
    }

    /// Whether to be told of output.
    func setReading(_ reading: Bool) {
        for output in outputs { output.setReading(reading) }
    }

    /// What a step sees: the defaults, which the job's variables may replace; those; and what Bulkhead says of itself,
    /// which nothing replaces: schedulerd refuses such a job, and here it is not believed either.
    static func environment(_ configuration: RunnerConfiguration, _ attempt: Attempt, _ job: [Variable]) -> [String] {
        let defaults = [
            Variable(name: "PATH", value: configuration.searchPath),
            Variable(name: "HOME", value: configuration.jobDirectory + "/home"),
            Variable(name: "TMPDIR", value: configuration.temporaryDirectory),
            Variable(name: "CI", value: "true"),
        ]
        let fixed = [
            Variable(name: "BULKHEAD", value: "true"),
            Variable(name: "BULKHEAD_JOB_ID", value: String(attempt.job)),
            Variable(name: "BULKHEAD_ATTEMPT", value: String(attempt.attempt)),
        ]
        let own = job.filter { $0.name != "BULKHEAD" && !$0.name.hasPrefix("BULKHEAD_") }
        let replaced = Set(own.map(\.name))
        let all = defaults.filter { !replaced.contains($0.name) } + own + fixed
        return all.map { "\($0.name)=\($0.value)" }
    }

    /// Why a step could not start, for a person.
    static func words(_ error: PosixError, _ configuration: RunnerConfiguration) -> String {
        let notFound: Int32 = 2
        switch error {
        case .spawn(.exec, notFound): return "the image has no \(configuration.shell), which runs the steps"
        case .spawn(.directory, _): return "its working directory \(configuration.jobDirectory)/src is not there"
        case .spawn(.fork, let errno): return "no new process (\(PosixError.text(of: errno))); raise resources.pids"
        default: return error.description
        }
    }
}
