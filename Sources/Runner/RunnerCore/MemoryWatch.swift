// Tells a step that failed from one whose memory the kernel took away, and makes sure that it takes the step's, not the
// runner's.

import Glibc

/// The container's out-of-memory counter, and the order in which the kernel picks its victims.
struct MemoryWatch {
    private let eventFiles: [String]
    /// Our own oom_score_adj, opened before this process became undumpable (then it is root's); -1: not writable.
    private let score: Int32
    private let ownScore: String?

    /// To be called before PR_SET_DUMPABLE.
    init(eventFiles: [String]) {
        self.eventFiles = eventFiles
        score = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC)
        ownScore = score < 0 ? nil : SmallFile.read(score)
    }

    /// How many processes of this container the kernel has killed for memory so far; nil if it does not say.
    func kills() -> UInt64? {
        for file in eventFiles {
            guard let text = SmallFile.read(file) else { continue }
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 2, words[0] == "oom_kill", let count = UInt64(words[1]) { return count }
            }
        }
        return nil
    }

    /// Runs `spawn` while this process, and so the child from its first moment, is the kernel's first choice; then goes
    /// back. Going up is always allowed, and so is going back down to where the engine had put us.
    func asFirstVictim<Result>(_ spawn: () -> Result) -> Result {
        guard let ownScore, SmallFile.write(score, "1000") else { return spawn() }
        defer { _ = SmallFile.write(score, ownScore) }
        return spawn()
    }
}
