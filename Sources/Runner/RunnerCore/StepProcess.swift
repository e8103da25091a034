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
    /// Its own, until nothing of it is left.
    let secrets: StepSecrets?

    /// Starts it.
    /// - Throws: `.spawn(stage:errno:)` when the shell or its directory is missing, and what pipes and loops throw.
    init(
        _ index: Int, _ child: ChildSpec, _ secrets: StepSecrets?, memory: MemoryWatch, loop: PollLoop,
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
            do throws(PosixError) {
                return .success(try StepProcess.spawn(child, secrets?.variables))
            } catch {
                return .failure(error)
            }
        }
        pid = try started.get()
        secrets?.started()
        self.secrets = secrets
        self.index = index
        // Our copies of the writing ends are closed here: the end of the file is the end of the step's writers.
        outputs = [
            StepOutput(UInt16(index), .stdout, stdout.keepFirst(), loop),
            StepOutput(UInt16(index), .stderr, stderr.keepFirst(), loop),
        ]
        for output in outputs { try output.start(onReadable) }
    }

    private static func spawn(_ child: ChildSpec, _ variables: WipedBytes?) throws(PosixError) -> Int32 {
        guard let variables else { return try Posix.spawn(child) }
        return try variables.withBytes { (block) throws(PosixError) in try Posix.spawn(child, secretVariables: block) }
    }

    /// Whether to be told of output.
    func setReading(_ reading: Bool) {
        for output in outputs { output.setReading(reading) }
    }
}
