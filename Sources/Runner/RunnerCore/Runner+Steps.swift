// The steps' processes: starting them, taking their output, and leaving nothing of them behind.

import Posix
import Processes
import Wire

extension Runner {
    func startStep(_ index: Int) {
        guard let spec = machine.spec, let attempt = machine.attempt else { return }
        let step = spec.steps[index]
        do {
            let secrets = try secrets(of: step, spec)
            let surroundings = StepSurroundings(configuration, directories, users, spec, step)
            let child = surroundings.child(attempt, secretFiles: secrets?.files ?? [], step.secrets)
            self.step = try StepProcess(index, child, secrets, memory: memory, loop: loop) { [weak self] output in
                self?.take(output)
            }
            self.step?.setReading(!records.isFull)
        } catch let error as PosixError {
            perform(machine.stepCouldNotStart(StepSurroundings.words(error, configuration)))
        } catch {
            perform(machine.stepCouldNotStart("\(error)"))
        }
    }

    private func secrets(of step: Step, _ spec: JobSpec) throws(Refusal) -> StepSecrets? {
        guard !step.secrets.isEmpty else { return nil }
        guard let grant else { throw Refusal("its secrets are not there") }
        return try StepSecrets(
            step, grant, directory: directories.secrets, owner: users.user(of: step, spec.shape.profile))
    }

    // MARK: - Output

    /// A pipe has something to say.
    private func take(_ output: StepOutput) {
        if case .bytes(let bytes) = readOne(output) {
            append(bytes, output)
            pump()
        }
        if records.isFull { step?.setReading(false) }
    }

    private func readOne(_ output: StepOutput) -> StepOutput.Read {
        records.isFull ? .wouldBlock : output.read(&readBuffer, room: records.room)
    }

    private func append(_ bytes: [UInt8], _ output: StepOutput) {
        records.append(.log(RunnerEdge.LogChunk(step: output.step, output: output.output, bytes: bytes)))
    }

    // MARK: - Ends

    /// SIGCHLD: somebody has ended, perhaps the step, perhaps an orphan that came to us.
    func reap() {
        let (ended, isEmpty) = processes.reap()
        for child in ended where child.pid == step?.pid {
            perform(machine.stepExited(child.exit, now: now))
        }
        guard isClearing else { return }
        isDeserted = isEmpty && !processes.othersAreThere()
        if isDeserted { return finishClearing() }
        // Whoever was forked while the last signal went round is still there.
        processes.killEverything()
        // Who is no child of ours (somebody entered the container from outside) ends without a signal to us.
        if isEmpty { loop.after(.milliseconds(1)) { [weak self] in self?.reap() } }
    }

    /// Kills whatever the step left behind: a background process of one step must not see the next one's files, write
    /// into its log or hold the job open.
    func clear() {
        isClearing = true
        isDeserted = false
        step?.setReading(false)
        processes.killEverything()
        // What has ended by now needs no further signal to be noticed.
        loop.soon { [weak self] in self?.reap() }
    }

    /// Nobody is left: what they wrote is in the pipes. Goes on when relayd has made room, if there is more than fits.
    func finishClearing() {
        guard let step, isClearing, isDeserted else { return }
        for output in step.outputs {
            while true {
                if records.isFull { return pump() }
                guard case .bytes(let bytes) = readOne(output) else { break }
                append(bytes, output)
            }
            output.close()
        }
        isClearing = false
        step.secrets?.remove()
        self.step = nil
        let kills = memory.kills()
        let outOfMemory = if let before = step.memoryKillsBefore, let kills { kills > before } else { false }
        perform(machine.stepCleared(outOfMemory: outOfMemory, now: now))
    }
}
