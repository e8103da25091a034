// The mask edge's other end: gives masks when a test says so.

import Endpoints
import Files
import Link
import Posix
import Wire

final class FakeBroker {
    let path: String
    private let loop: PollLoop
    private let directory: String
    private var server: LinkServer<MaskEdge>?
    private var sinks: [ItemSink<MaskEdge.WatchMasks.Item>] = []
    /// How often it has been asked.
    private(set) var asked = 0
    /// What the next that ask are given at once; nil: not_found.
    private(set) var values: [[UInt8]]?

    init(_ loop: PollLoop, _ directory: String) throws {
        self.loop = loop
        self.directory = directory
        path = directory + "/mask-socket"
        try start()
    }

    func start() throws {
        if (try? Posix.lstat(path)) != nil { try Posix.unlink(path) }
        var handlers = Handlers<MaskEdge>()
        handlers.on(MaskEdge.WatchMasks.self) { [weak self] _, sink in self?.watch(sink) }
        server = try LinkServer<MaskEdge>(
            loop: loop, listener: try Posix.listenUnix(path, mode: 0o600), peerUID: Posix.userID, handlers: handlers)
    }

    /// brokerd dies.
    func stop() {
        sinks = []
        server?.close()
        server = nil
    }

    /// From now on there are these masks, for who asks and for who has asked.
    func give(_ texts: [String]) throws {
        let values = texts.map { Array($0.utf8) }
        self.values = values
        for sink in sinks {
            sink.send(.init(), fd: try file(of: MaskSet(values: values.map { .init(value: $0) }).encoded()))
        }
    }

    /// Something else in place of a set, once.
    func give(raw bytes: [UInt8]) throws {
        for sink in sinks { sink.send(.init(), fd: try file(of: bytes)) }
    }

    /// It knows no grant any more; or it knows that it must not say what it knows.
    func forget(_ code: ErrorCode = .notFound) {
        (values, refusal) = (nil, code)
        for sink in sinks { sink.fail(Failure(code, "no grant")) }
        sinks = []
    }

    private var refusal = ErrorCode.notFound

    /// Streams that wait are open, though there is nothing to give.
    var keepsOpen = false

    private func watch(_ sink: ItemSink<MaskEdge.WatchMasks.Item>) {
        asked += 1
        guard values != nil || keepsOpen else { return sink.fail(Failure(refusal, "no grant")) }
        sinks.append(sink)
        guard let values, let bytes = try? MaskSet(values: values.map { .init(value: $0) }).encoded(),
            let file = try? file(of: bytes)
        else { return }
        sink.send(.init(), fd: file)
    }

    private func file(of bytes: [UInt8]) throws -> FileDescriptor {
        let name = directory + "/mask-file"
        let writer = try Posix.open(name, [.writeOnly, .create, .truncate])
        try Posix.writeAll(writer.raw, bytes)
        let reader = try Posix.open(name, [.readOnly])
        try Posix.unlink(name)
        return reader
    }
}
