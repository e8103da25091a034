// The runner: PID 1 of a job's container. It hears relayd on stdin, answers on stdout, and does what JobMachine says:
// unpacks the source, runs the steps one after another, keeps their output until relayd has it on disk.
//
// Its parts: Runner+Edge (what relayd asks), Runner+Grant (the job's secrets), Runner+Steps (processes and their
// output), Runner+Artifacts (the files that it leaves). One thread, one PollLoop. The job's code is hostile to it and
// may run as the same user: so this process is not dumpable (no ptrace, no /proc/1/fd, no /proc/1/mem), and as PID 1
// it cannot be killed from inside.

import CLinux
import Files
import Link
package import Posix
import Wire

/// One runner, for the life of its process.
package final class Runner {
    let configuration: RunnerConfiguration
    let loop: PollLoop
    private let duct: RunnerDuct
    let processes: ProcessTable
    let memory: MemoryWatch
    let users: StepUsers
    let directories: JobDirectories

    var machine: JobMachine
    /// Opens the grant; nil once that is done, or not wanted.
    var key: WipedBytes?
    /// What the job was granted; until its steps are over.
    var grant: GrantContents?
    var grantPause: Int64 = 0
    var grantLook: TimerID?
    var records = RecordBuffer()
    var source: SourceReceiver?
    var step: StepProcess?
    /// Packs what the artifact rule of this number names; nil at all other times.
    var packer: ArtifactPacker?
    var packed: UInt16 = 0
    var packedBytes: UInt64 = 0
    var packedHash = Digest()
    /// Seals that; of a job with a grant. It goes with this process, which ends with its job.
    var sealKey: SealKey?
    var isPackingDue = false
    /// Everything but the runner is being killed.
    var isClearing = false
    /// Nobody else is left.
    var isDeserted = false
    var hasRehearsed = false
    private var timers: [JobMachine.Timer: TimerID] = [:]
    var readBuffer = [UInt8](repeating: 0, count: StepOutput.largestRecord)

    private var handlers = Handlers<RunnerEdge>()
    private var connection: Connection<RunnerEdge>?
    /// The stream that records go out on; nil while nobody has asked for them.
    var sink: ItemSink<RunnerEdge.Records.Item>?
    /// The process ends when the job has ended.
    private var isLeaving = false
    /// The engine wants it so, and nobody of ours.
    package private(set) var isStopped = false

    /// Takes stdin and stdout, the signals and all orphans of this process.
    package init(_ configuration: RunnerConfiguration, key: WipedBytes) throws(PosixError) {
        self.configuration = configuration
        self.key = key
        machine = JobMachine(limits: configuration.grantLimits)
        directories = JobDirectories(configuration)
        users = try StepUsers()
        // First, since it opens what an undumpable process may not open.
        memory = MemoryWatch(eventFiles: configuration.memoryEvents)
        let hidden = bh_set_not_dumpable()
        guard hidden >= 0 else { throw .system(call: "prctl(PR_SET_DUMPABLE)", errno: -hidden) }
        Posix.setFileCreationMask(0o022)
        processes = try ProcessTable()
        loop = try PollLoop()
        duct = RunnerDuct(loop: loop, configuration)
    }

    /// Serves until nothing more is wanted of this runner, or somebody outside wants it gone.
    package func run() throws(PosixError) {
        handlers = edgeHandlers()
        try loop.onSignals([Signal.terminate, Signal.interrupt, Signal.child]) { [weak self] signal in
            guard let self else { return }
            if signal.number == Signal.child { reap() } else { leave(isStopped: signal.isFromOutside) }
        }
        duct.onSync = { [weak self] transport, released in self?.connect(transport, released) }
        duct.onEnd = { [weak self] in self?.leave(isStopped: true) }
        try duct.start()
        loop.run()
        // Whoever waits for the container's end must not find a step still running. As PID 1 this is the kernel's
        // doing, too.
        processes.killEverything()
    }

    var now: UInt64 { loop.now / 1_000_000 }

    // MARK: - Connections

    /// A relayd has introduced itself: the connection before, with whatever half frames it held, is over.
    private func connect(_ transport: DuctTransport, _ released: Int) {
        sink = nil
        connection?.close()
        if released > 0 && machine.isReceiving {
            // Some of the preamble's bytes went to the old connection, where they may have filled a half frame of the
            // source.
            perform(machine.preparationFailed("source archive: the connection was cut while it arrived; try again"))
        }
        do {
            connection = try Connection(loop: loop, transport: transport, server: handlers)
        } catch {
            // A handler is missing: a bug, and no job can run. The container's end tells the others.
            loop.stop()
        }
    }

    // MARK: - The machine

    /// Does what the machine says, in order.
    func perform(_ actions: [JobMachine.Action]) {
        for action in actions {
            switch action {
            case .record(let record): records.append(record)
            case .start(let index): startStep(index)
            case .terminateStep: if let step { processes.terminate(group: step.pid) }
            case .killEverything: clear()
            case .startTimer(let timer, let milliseconds): start(timer, milliseconds)
            case .stopTimer(let timer): stop(timer)
            case .watchGrant: watchGrant()
            case .pack(let rule): startPacking(rule)
            case .stopPacking: stopPacking()
            }
        }
        if machine.stepsAreOver { forgetSecrets() }
        pump()
        if isLeaving && machine.hasEnded { leaveWhenSettled() }
    }

    private func start(_ timer: JobMachine.Timer, _ milliseconds: UInt64) {
        stop(timer)
        timers[timer] = loop.after(.milliseconds(Int64(clamping: milliseconds))) { [weak self] in
            guard let self else { return }
            timers[timer] = nil
            if timer == .silence { listenAgain() }
            perform(machine.timerFired(timer, now: now))
        }
    }

    private func stop(_ timer: JobMachine.Timer) {
        if let running = timers.removeValue(forKey: timer) { loop.cancel(running) }
    }

    /// Sends what has not been sent on this stream. What is outstanding is bounded by `records`, so the queue is, too.
    func pump() {
        guard let sink, sink.isOpen else { return }
        while let (number, record) = records.takeNext() {
            sink.send(RunnerEdge.Records.Item(number: number, record: record))
        }
    }

    // MARK: - The end

    /// SIGTERM, or the end of stdin: the job ends with grace, then the process. A signal from outside is the engine's,
    /// and stdin ends with the engine; what a step sends to PID 1 is the job's own doing.
    private func leave(isStopped: Bool) {
        guard !isLeaving else { return }
        isLeaving = true
        self.isStopped = isStopped
        if machine.isIdle { return loop.stop() }
        let grace = UInt64(configuration.stopGrace.components.seconds) * 1000
        perform(machine.cancel(isStopped ? .stopped : .cancelled, grace: grace, now: now))
        if machine.hasEnded { leaveWhenSettled() }
    }

    /// relayd gets a moment to fetch the last records; the engine's patience is not ours to use up.
    private func leaveWhenSettled() {
        if records.isSettled { return loop.stop() }
        loop.after(.seconds(2)) { [loop] in loop.stop() }
    }

    /// relayd wants nothing more.
    func quit() {
        // After this pass, in which the answer goes out.
        loop.soon { [loop] in loop.stop() }
    }

    /// Called when an acknowledgement has come.
    func recordsWereAcknowledged() {
        step?.setReading(!records.isFull && !isClearing)
        if isClearing { finishClearing() }
        packSoon()
        if isLeaving && machine.hasEnded && records.isSettled { loop.stop() }
    }
}
