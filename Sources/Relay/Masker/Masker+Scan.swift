// The inner loop: one look at every byte, or at fewer.

extension Masker {
    /// Finds what the chunk's bytes complete or begin.
    func scan(_ automaton: Automaton, _ chunk: UnsafePointer<UInt8>, _ count: Int) {
        var position = 0
        while position < count {
            if state == 0 {
                position = automaton.skip.next(in: chunk, from: position, to: count)
                if position >= count { break }
            }
            // At least one byte: where the table says that a pattern may begin, and in what is too short for it.
            repeat {
                step(automaton, chunk[position], position)
                position += 1
            } while state != 0 && position < count
        }
    }

    /// Takes the byte at `position`, and what it completes.
    @inline(__always)
    func step(_ automaton: Automaton, _ byte: UInt8, _ position: Int) {
        let node = automaton.next(state, byte)
        state = node
        if node == 0 { return }
        let length = automaton.match(node)
        if length > 0 { cover(position + 1 - length, position + 1) }
        // What no pattern goes beyond is not worth holding back.
        if automaton.isLeaf(node) { state = automaton.failure(node) }
    }

    /// Occurrences are found in the order of their ends; each swallows the runs that it touches.
    private func cover(_ start: Int, _ end: Int) {
        var run = Run(start: start, end: end)
        while let last = runs.last, last.end >= run.start {
            run.start = min(run.start, last.start)
            run.end = max(run.end, last.end)
            runs.removeLast()
        }
        runs.append(run)
    }
}
