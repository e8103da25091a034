// Tells a step that failed from one whose memory the kernel took away, and makes sure that it takes the step's, not the
// runner's.

import Files
import Posix

/// The container's out-of-memory counter, and the order in which the kernel picks its victims.
struct MemoryWatch {
    private let eventFiles: [String]
    /// Our own oom_score_adj, opened before this process became undumpable (then it is root's); nil: not writable.
    private let score: FileDescriptorBox?
    private let ownScore: [UInt8]?

    /// To be called before PR_SET_DUMPABLE.
    init(eventFiles: [String]) {
        self.eventFiles = eventFiles
        score = try? FileDescriptorBox(Posix.open("/proc/self/oom_score_adj", .readWrite))
        ownScore = score.flatMap { try? Posix.pread($0.raw, maximum: 16, at: 0) }
    }

    /// How many processes of this container the kernel has killed for memory so far; nil if it does not say.
    func kills() -> UInt64? {
        for file in eventFiles {
            guard let text = try? Posix.readFile(file, limit: 4096) else { continue }
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.count == 2, words[0] == "oom_kill", let count = UInt64(words[1]) { return count }
            }
        }
        return nil
    }

    /// Runs `spawn` while this process, and so the child from its first moment, is the kernel's first choice; then goes
    /// back. Going up is always allowed, and so is going back down to where the engine had put us.
    func asFirstVictim<Result>(_ spawn: () -> Result) -> Result {
        guard let ownScore, write(Array("1000".utf8)) else { return spawn() }
        defer { _ = write(ownScore) }
        return spawn()
    }

    /// Whether the kernel took it.
    private func write(_ text: [UInt8]) -> Bool {
        guard let score else { return false }
        return (try? Posix.pwriteAll(score.raw, text[...], at: 0)) != nil
    }
}
