// A step that writes nothing for too long is ended, as one is that runs for too long. The timer is not started anew for
// every word, since a step may write all the time: when it ends, it is seen what is left of the time.

import Wire

extension JobMachine {
    /// The step, or whoever it has started, has written something.
    package mutating func stepWrote(now: UInt64) {
        lastHeard = now
    }

    /// How long a step may write nothing, in milliseconds; 0: for ever.
    var silenceLimit: UInt64 { UInt64(spec?.silenceSeconds ?? 0) * 1000 }

    /// How long the step may still be silent; nil: no longer.
    func silenceLeft(now: UInt64) -> UInt64? {
        let waited = now - min(now, lastHeard)
        return waited < silenceLimit ? silenceLimit - waited : nil
    }
}
