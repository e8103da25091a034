// A runner that waits goes through a job of its own making once, up to where the shell would begin: what is done for
// the first time (pages of the program that nobody has touched, types that Swift looks up once) is done by then, and
// the job that comes does not wait for it.

import Files
import Link
import Posix
import Processes
import Wire

extension Runner {
    /// A job that comes with its runner finds it busy with nothing else.
    private static let pause = Duration.milliseconds(50)

    func rehearseSoon() {
        guard !hasRehearsed else { return }
        hasRehearsed = true
        loop.after(Self.pause) { [weak self] in
            guard let self, machine.isIdle else { return }
            rehearse()
        }
    }

    /// Leaves nothing behind: no record, no directory, no process. Nothing of the image is run: the program of this
    /// step is the root directory.
    private func rehearse() {
        let attempt = Attempt(job: 0, attempt: 0, epoch: 0)
        guard let bytes = try? RunnerEdge.RunJob(attempt: attempt, definition: Self.rehearsal).encoded(),
            let definition = try? RunnerEdge.RunJob.decoded(bytes).definition,
            users.problem(with: definition) == nil
        else { return }
        var machine = JobMachine(limits: configuration.grantLimits)
        var records = RecordBuffer()
        let actions = machine.run(attempt, definition, now: now) + machine.grantWiped(now: now)
        for case .record(let record) in actions { records.append(record) }
        records.append(.log(RunnerEdge.LogChunk(step: 0, output: .stdout, bytes: [0x0A])))
        while let (number, record) = records.takeNext() {
            _ = try? RunnerEdge.Records.Item(number: number, record: record).encoded()
        }
        _ = GrantDirectory(configuration.grantDirectory).isEmpty
        let step = definition.spec.steps[0]
        let surroundings = StepSurroundings(configuration, directories, users, definition.spec, step)
        var child = surroundings.child(attempt, secretFiles: [], [])
        child.executable = "/"
        child.workingDirectory = "/"
        _ = try? StepProcess(0, child, nil, memory: memory, loop: loop) { _ in }
    }

    private static let rehearsal = JobDefinition(
        project: "rehearsal",
        spec: JobSpec(
            name: "rehearsal",
            shape: RunnerShape(
                image: "none", platform: .linuxAmd64, profile: .strict,
                resources: Resources(cpuMillis: 1, memoryBytes: 1, pids: 1, diskBytes: 0), untrustedSteps: false,
                gpus: nil),
            timeoutSeconds: 1, silenceSeconds: 1, env: [Variable(name: "A", value: "a")],
            steps: [
                Step(
                    name: "rehearsal", run: "true", timeoutSeconds: 1, continueOnError: false, untrusted: false,
                    when: .onSuccess, secrets: [])
            ], artifacts: []), source: nil, schedule: .usual)
}
