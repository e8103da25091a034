// Handlers by the edge's rows, without their types: what a channel dispatches with.

import Posix
import Wire

/// One entry per rule; nil where the request comes from the other side.
final class HandlerTable {
    /// Decodes (check 8), has the session admit (check 9), and handles.
    typealias Entry = (IncomingRequest, consuming FDBundle, Channel) throws(Failure) -> Void

    private let entries: [Entry?]

    init(_ entries: [Entry?]) {
        self.entries = entries
    }

    /// Of a side that serves nothing.
    static func none(_ edge: EdgeTable) -> HandlerTable {
        HandlerTable(Array(repeating: nil, count: edge.rules.count))
    }

    func handle(_ request: IncomingRequest, _ fds: consuming FDBundle, _ channel: Channel) throws(Failure) {
        guard let entry = entries[request.rule] else {
            // Cannot be: the session refuses what comes from the wrong side, and construction asks for all others.
            throw Failure(.unpermitted, "no handler", place: channel.edge.rules[request.rule].name)
        }
        try entry(request, fds, channel)
    }
}
