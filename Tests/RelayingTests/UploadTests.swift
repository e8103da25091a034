import Link
import Posix
import Relaying
import Testing
import Wire

@Suite struct UploadTests {
    private func code<C: WireCall>(_ world: RelayWorld, _ request: C) -> ErrorCode? where C.Edge == RelayEdge {
        do {
            _ = try world.call(request)
            return nil
        } catch {
            return (error as? Failure)?.errorCode
        }
    }

    @Test func exact() throws {
        let world = try RelayWorld()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let source = try world.store(bytes)
        #expect(source.size == 300_000)
        #expect(world.directory.entries("sources") == [source.sha256.hex])
        #expect(try world.directory.bytes("sources/\(source.sha256.hex)") == bytes)
        // The same again is the same file.
        #expect(try world.store(bytes) == source)
        _ = try world.call(RelayEdge.RemoveSource(sha256: source.sha256))
        _ = try world.call(RelayEdge.RemoveSource(sha256: source.sha256))
        #expect(world.directory.entries("sources").isEmpty)
    }

    @Test func finishIsAskedBeforeTheBytesAreThere() throws {
        let world = try RelayWorld()
        let (reply, sink) = try world.callWithFDs(RelayEdge.OpenUpload(size: 10))
        var answer: Result<RelayEdge.FinishUpload.Reply, Failure>?
        world.scheduler.call(RelayEdge.FinishUpload(upload: reply.upload)) { result, _ in answer = result }
        try world.feed([UInt8](repeating: 1, count: 10), to: sink)
        #expect(answer == nil)
        sink.close()
        try world.until("answer") { answer != nil }
        #expect(try answer?.get().source.size == 10)
        // A schedulerd that reconnected may ask again.
        #expect(try world.call(RelayEdge.FinishUpload(upload: reply.upload)).source.size == 10)
    }

    @Test func short() throws {
        let world = try RelayWorld()
        let (reply, sink) = try world.callWithFDs(RelayEdge.OpenUpload(size: 10))
        try world.feed([1, 2, 3], to: sink)
        sink.close()
        #expect(code(world, RelayEdge.FinishUpload(upload: reply.upload)) == .incomplete)
        #expect(world.directory.entries("sources").isEmpty)
    }

    @Test func long() throws {
        let world = try RelayWorld()
        let (reply, sink) = try world.callWithFDs(RelayEdge.OpenUpload(size: 10))
        try world.feed([UInt8](repeating: 1, count: 11), to: sink)
        #expect(code(world, RelayEdge.FinishUpload(upload: reply.upload)) == .tooLarge)
        // The writer is told, too.
        #expect(throws: PosixError.self) { try Posix.writeAll(sink.raw, [1]) }
        #expect(world.directory.entries("sources").isEmpty)
    }

    @Test func abandoned() throws {
        var limits = RelayLimits()
        limits.uploadIdle = .milliseconds(20)
        let world = try RelayWorld(limits: limits)
        let (reply, sink) = try world.callWithFDs(RelayEdge.OpenUpload(size: 10))
        try world.feed([1, 2, 3], to: sink)
        #expect(code(world, RelayEdge.FinishUpload(upload: reply.upload)) == .incomplete)
        try world.until("forgotten") { code(world, RelayEdge.FinishUpload(upload: reply.upload)) == .notFound }
        #expect(world.directory.entries("sources").isEmpty)
    }

    /// A byte now and then is not enough to keep a place.
    @Test(arguments: [1, 1 << 20]) func dripping(_ least: Int) throws {
        var limits = RelayLimits()
        limits.uploadIdle = .seconds(1)
        limits.uploadLeast = least
        let world = try RelayWorld(limits: limits)
        let (reply, sink) = try world.callWithFDs(RelayEdge.OpenUpload(size: 1000))
        var answer: Result<RelayEdge.FinishUpload.Reply, Failure>?
        world.scheduler.call(RelayEdge.FinishUpload(upload: reply.upload)) { result, _ in answer = result }
        let end = Posix.monotonicNow() + 3_000_000_000
        var (sent, isClosed) = (0, false)
        while answer == nil && sent < 900 && Posix.monotonicNow() < end {
            guard (try? Posix.writeAll(sink.raw, [1])) != nil else {
                isClosed = true
                break
            }
            sent += 1
            let next = Posix.monotonicNow() + 50_000_000
            try world.until("a moment") { Posix.monotonicNow() > next }
        }
        // While it still drips: that it is given up afterwards is nothing new.
        #expect((isClosed || answer != nil) == (least != 1))
    }

    @Test func manyAtOnceAndNotMore() throws {
        var limits = RelayLimits()
        limits.uploads = 3
        limits.sourceBytes = 1000
        let world = try RelayWorld(limits: limits)
        #expect(code(world, RelayEdge.OpenUpload(size: 1001)) == .tooLarge)
        #expect(code(world, RelayEdge.OpenUpload(size: 0)) == .invalid)
        #expect(code(world, RelayEdge.FinishUpload(upload: 5)) == .notFound)
        let opened = try (0..<3).map { _ in try world.callWithFDs(RelayEdge.OpenUpload(size: 1000)) }
        #expect(code(world, RelayEdge.OpenUpload(size: 1)) == .limitReached)
        for round in 0..<10 {
            for (number, upload) in opened.enumerated() {
                try world.feed([UInt8](repeating: UInt8(number * 10 + round), count: 100), to: upload.1)
            }
        }
        for upload in opened { upload.1.close() }
        var names: Set<String> = []
        for upload in opened {
            names.insert(try world.call(RelayEdge.FinishUpload(upload: upload.0.upload)).source.sha256.hex)
        }
        #expect(Set(world.directory.entries("sources")) == names)
        #expect(names.count == 3)
        #expect(try world.store([1]).size == 1)
    }
}
