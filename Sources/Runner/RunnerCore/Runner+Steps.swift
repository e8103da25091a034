// The steps' processes: starting them, and leaving nothing of them behind. Runner+Output: what they say.

import Files
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
            // What a step makes in a place that all share, such as /tmp, is not another user's to read.
            let mask = Posix.setFileCreationMask(spec.isSplit ? 0o077 : 0o022)
            defer { Posix.setFileCreationMask(mask) }
            self.step = try StepProcess(index, child, secrets, memory: memory, loop: loop) { [weak self] output in
                self?.hear(output)
            }
            self.step?.setReading(!records.isFull)
        } catch let error as PosixError {
            perform(machine.stepCouldNotStart(StepSurroundings.words(error, configuration), now: now))
        } catch {
            perform(machine.stepCouldNotStart("\(error)", now: now))
        }
    }

    private func secrets(of step: Step, _ spec: JobSpec) throws(Refusal) -> StepSecrets? {
        guard !step.secrets.isEmpty else { return nil }
        guard let grant else { throw Refusal("its secrets are not there") }
        return try StepSecrets(
            step, grant, directory: directories.secrets, owner: users.user(of: step, spec.shape.profile))
    }

    // MARK: - Ends

    /// SIGCHLD: somebody has ended, perhaps the step, perhaps an orphan that came to us.
    func reap() {
        let (ended, isEmpty) = Posix.reapAll()
        for child in ended where child.pid == step?.pid {
            perform(machine.stepExited(child.status, now: now))
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
                guard take(output) else { break }
            }
            flush(output)
            output.close()
        }
        isClearing = false
        let leftover = step.secrets?.remove()
        removeIPCObjects(of: step)
        self.step = nil
        let kills = memory.kills()
        let outOfMemory = if let before = step.memoryKillsBefore, let kills { kills > before } else { false }
        perform(machine.stepCleared(outOfMemory: outOfMemory, leftover: leftover, now: now))
    }

    /// System V objects outlive those who made them, and their names are known to all. Outside of a container they may
    /// be somebody else's.
    private func removeIPCObjects(of step: StepProcess) {
        guard let spec = machine.spec, spec.isSplit, processes.isInit else { return }
        IPCObjects.remove(of: users.user(of: spec.steps[step.index], spec.shape.profile)?.uid ?? Posix.userID)
    }
}
