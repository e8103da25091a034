// The typed handler table of one side of an edge: one `on` per message, and a check at construction that none is
// missing.

package import Posix
package import Wire

/// What a server (or the side that is asked) does for each request. Bodies run on the loop's thread and may answer
/// later.
package struct Handlers<Edge: WireEdge> {
    private var entries: [UInt16: HandlerTable.Entry] = [:]
    private var twice: [String] = []

    package init() {}

    /// A call. The bundle holds the descriptors that the schema names, already checked for their kind.
    package mutating func on<Call: WireCall>(
        _ call: Call.Type, _ body: @escaping (Call, consuming FDBundle, Responder<Call.Reply>) -> Void
    ) where Call.Edge == Edge {
        add(Call.rule) { (request, fds, channel) throws(Failure) in
            let message = try Self.decode(call, request, channel)
            try channel.session.admit(request)
            body(message, fds, Responder(channel, request))
        }
    }

    /// A stream.
    package mutating func on<Stream: WireStream>(
        _ stream: Stream.Type, _ body: @escaping (Stream, ItemSink<Stream.Item>) -> Void
    ) where Stream.Edge == Edge {
        add(Stream.rule) { (request, fds, channel) throws(Failure) in
            let message = try Self.decode(stream, request, channel)
            try channel.session.admit(request)
            body(message, ItemSink(channel, request))
        }
    }

    private mutating func add(_ rule: MessageRule, _ entry: @escaping HandlerTable.Entry) {
        if entries.updateValue(entry, forKey: rule.type) != nil { twice.append(rule.name) }
    }

    private static func decode<Request: WireRequest>(
        _ type: Request.Type, _ request: IncomingRequest, _ channel: Channel
    ) throws(Failure) -> Request {
        do {
            return try Request.decoded(channel.session.bytes(request.body))
        } catch {
            throw Failure(error.code, error.description, place: Request.rule.name)
        }
    }

    /// What is wrong with this table for `side`: the messages without a handler, and those with two. Empty if it is
    /// complete.
    package func problems(serving side: Side) -> [String] {
        let missing = Edge.rules.filter { $0.from == side.other && entries[$0.type] == nil }
        return missing.map { "no handler for \($0.name)" } + twice.map { "two handlers for \($0)" }
    }

    func table(_ edge: EdgeTable, serving side: Side) throws(Failure) -> HandlerTable {
        let problems = problems(serving: side)
        if !problems.isEmpty {
            throw Failure(.internal, "\(Edge.name): " + problems.joined(separator: ", "), place: "Handlers")
        }
        return HandlerTable(edge.rules.map { entries[$0.type] })
    }
}
