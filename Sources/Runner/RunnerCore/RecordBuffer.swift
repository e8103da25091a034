// The runner's memory of what relayd does not have on disk yet. Pure; Runner fills it from the steps and empties it
// into the Records stream. With it, killing relayd in the middle of a log loses and repeats nothing.

package import Wire

/// Numbered records, from 1, without gaps. Those that are not acknowledged are kept.
package struct RecordBuffer {
    /// Why an acknowledgement or a resumption cannot be.
    package enum Mismatch: Error, Equatable {
        /// The peer claims records that were never made.
        case beyondLast(UInt64)
        /// The peer wants records that it had acknowledged; the first that is still here.
        case forgotten(first: UInt64)
    }

    /// The most bytes of log and artifacts that may be outstanding.
    package static let defaultCapacity = 1 << 20
    /// What such a record costs besides its bytes, so that a step which writes byte by byte cannot fill the runner's
    /// memory (it is the job's memory limit that pays for it) with the bookkeeping of a megabyte of records.
    package static let overhead = 128
    /// Less room than this counts as none: better one larger record a little later.
    package static let leastRoom = 4096

    private var records: [RunnerEdge.Record] = []
    /// Index in `records` of the first that is kept; what lies before it is removed now and then.
    private var head = 0
    private let capacity: Int
    private var used = 0
    /// Bytes that will be in records, but are in none yet: unfinished lines. They take room.
    package var held = 0
    /// The last record's number; 0 before the first.
    package private(set) var last: UInt64 = 0
    /// Everything up to this number is acknowledged.
    package private(set) var durable: UInt64 = 0
    /// The last number that was handed out on the current stream.
    private var sent: UInt64 = 0

    package init(capacity: Int = RecordBuffer.defaultCapacity) {
        self.capacity = capacity
    }

    /// How many bytes of log or of an artifact the next record may hold; 0: read nothing more of the steps' output, or
    /// of what they have left, until something is acknowledged.
    package var room: Int {
        let left = capacity - used - held - RecordBuffer.overhead
        return left < RecordBuffer.leastRoom ? 0 : left
    }
    package var isFull: Bool { room == 0 }
    /// Whether everything is acknowledged.
    package var isSettled: Bool { durable == last }

    /// Adds a record. Those without such bytes are few (three for each step) and always taken.
    package mutating func append(_ record: RunnerEdge.Record) {
        records.append(record)
        last += 1
        used += RecordBuffer.cost(record)
    }

    /// The next record that has not been sent on the current stream, with its number.
    package mutating func takeNext() -> (number: UInt64, record: RunnerEdge.Record)? {
        guard sent < last else { return nil }
        sent += 1
        return (sent, records[head + Int(sent - durable) - 1])
    }

    /// Everything up to `number` is on the peer's disk. An older number than the last one says nothing new.
    package mutating func acknowledge(_ number: UInt64) throws(Mismatch) {
        guard number <= last else { throw .beyondLast(last) }
        while durable < number {
            used -= RecordBuffer.cost(records[head])
            records[head] = RunnerEdge.Record.sourceReady(RunnerEdge.SourceReady(files: 0))  // lets go of the bytes
            head += 1
            durable += 1
        }
        sent = max(sent, durable)
        // In chunks, so that the cost of moving the rest is shared by many.
        if head == records.count || head >= 256 {
            records.removeFirst(head)
            head = 0
        }
    }

    /// A new connection begins: the peer has everything up to `number`, and the stream starts behind it.
    package mutating func resume(after number: UInt64) throws(Mismatch) {
        guard number >= durable else { throw .forgotten(first: durable + 1) }
        try acknowledge(number)
        sent = number
    }

    private static func cost(_ record: RunnerEdge.Record) -> Int {
        switch record {
        case .log(let chunk): chunk.bytes.count + overhead
        case .artifact(let chunk): chunk.bytes.count + overhead
        default: 0
        }
    }
}
