// The stream edge: spawnerd hands over the attach stream of a runner, and never sees a byte of it.

package import Link
import Posix
package import Wire

extension Relay {
    package func spawnerHandlers() -> Handlers<StreamEdge> {
        var handlers = Handlers<StreamEdge>()
        handlers.on(StreamEdge.TakeStream.self) { [weak self] request, fds, responder in
            guard let self else { return }
            var fds = fds
            guard let stream = fds.takeFirst() else { return responder.fail(Failure(.wrongFds, "no stream")) }
            do {
                try attach(request.runner, stream: stream, framing: request.framing, pending: request.pending)
                responder.reply(.init())
            } catch let failure as Failure {
                responder.fail(failure)
            } catch {
                responder.fail(Failure(.internal, "\(error)"))
            }
        }
        return handlers
    }
}
