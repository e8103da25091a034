// What the steps say: from their two pipes into records, line by line.

import Posix
import Wire

extension Runner {
    /// A pipe has something to say, or its writers are gone.
    func hear(_ output: StepOutput) {
        take(output)
        pump()
        if records.isFull { step?.setReading(false) }
    }

    /// Reads once, if there is room.
    /// - Returns: whether there was something.
    @discardableResult
    func take(_ output: StepOutput) -> Bool {
        guard !records.isFull else { return false }
        switch output.read(&readBuffer, room: records.room) {
        case .bytes(let bytes):
            machine.stepWrote(now: now)
            append(output.line.take(bytes), output)
            hold(output)
            return true
        case .wouldBlock:
            return false
        case .end:
            flush(output)
            return false
        }
    }

    /// Before a step is called silent: this process may be late, and a step whose words nobody takes is not silent.
    func listenAgain() {
        guard let step, !isClearing else { return }
        for output in step.outputs { take(output) }
        if records.isFull { machine.stepWrote(now: now) }
    }

    /// Lets go of an unfinished line. It was counted, so there is room.
    func flush(_ output: StepOutput) {
        append(output.line.flush(), output)
    }

    private func append(_ bytes: [UInt8], _ output: StepOutput) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(StepOutput.largestRecord))
            records.append(.log(RunnerEdge.LogChunk(step: output.step, output: output.output, bytes: part)))
            rest = rest.dropFirst(part.count)
        }
        records.held = step?.outputs.reduce(0) { $0 + $1.line.count } ?? 0
    }

    // MARK: - Unfinished lines

    /// Sees to it that an unfinished line does not wait for ever. One timer runs for many lines: when it ends, it is
    /// seen whether anything has waited that long.
    private func hold(_ output: StepOutput) {
        guard !output.line.isEmpty else { return }
        output.lastHeard = loop.now
        if output.holdTimer == nil { wait(configuration.lineHold, output) }
    }

    private func wait(_ time: Duration, _ output: StepOutput) {
        output.holdTimer = loop.after(time) { [weak self, weak output] in
            guard let self, let output else { return }
            output.holdTimer = nil
            look(at: output)
        }
    }

    private func look(at output: StepOutput) {
        // A step that is being cleared away says its last by and by.
        guard !output.line.isEmpty, !isClearing else { return }
        // Nobody has listened: the rest of the line may be in the pipe.
        guard !records.isFull else { return wait(configuration.lineHold, output) }
        // Nor does it count as quiet because this process was late.
        if take(output) {
            if output.holdTimer == nil && !output.line.isEmpty { wait(configuration.lineHold, output) }
        } else if !output.line.isEmpty {
            let left = configuration.lineHold - .nanoseconds(Int64(loop.now - output.lastHeard))
            if left > .zero { return wait(left, output) }
            flush(output)
        }
        pump()
        if records.isFull { step?.setReading(false) }
    }
}
