import LogStore
import Testing
import Wire

@Suite struct JournalTests {
    private let entries: [JournalEntry] = [
        JournalEntry(point: LogPoint(number: 4), logEnd: 0, dropped: 0, content: .opened([1, 2, 3])),
        JournalEntry(point: LogPoint(number: 5), logEnd: 10, dropped: 0, content: .progress),
        JournalEntry(point: LogPoint(number: 6), logEnd: 10, dropped: 0, content: .event([9])),
        JournalEntry(
            point: LogPoint(number: 7, ahead: 70_000, covered: 9, isOpen: true), logEnd: 12, dropped: 0,
            content: .progress),
        JournalEntry(
            point: LogPoint(number: 8), logEnd: 12, dropped: 0, content: .artifact(rule: 7, end: 1 << 33)),
        JournalEntry(point: LogPoint(number: 300), logEnd: 1 << 40, dropped: 77, content: .progress),
    ]

    private var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries { entry.write(to: &bytes) }
        return bytes
    }

    @Test func roundTrip() {
        let read = JournalEntry.readAll(bytes)
        #expect(read.entries == entries)
        #expect(read.valid == bytes.count)
        #expect(entries.map(\.length).reduce(0, +) == bytes.count)
    }

    /// Cut at every byte: exactly the entries that are whole, nothing else.
    @Test func tornAtEveryByte() {
        var ends = [0]
        for entry in entries { ends.append(ends[ends.count - 1] + entry.length) }
        for cut in 0...bytes.count {
            let read = JournalEntry.readAll(Array(bytes[..<cut]))
            let whole = ends.lastIndex { $0 <= cut } ?? 0
            #expect(read.entries == Array(entries[..<whole]))
            #expect(read.valid == ends[whole])
            // A power failure leaves zeros where the rest should be.
            let zeros = JournalEntry.readAll(bytes[..<cut] + [UInt8](repeating: 0, count: 100))
            #expect(zeros.entries == read.entries)
        }
    }

    @Test func goingBackwardsEndsIt() {
        var journal = bytes
        JournalEntry(point: LogPoint(number: 301), logEnd: 9, dropped: 0, content: .progress).write(to: &journal)
        #expect(JournalEntry.readAll(journal).entries == entries)
    }
}
