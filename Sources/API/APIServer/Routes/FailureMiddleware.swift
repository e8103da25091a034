// FailureMiddleware: every error of a route becomes the API's one shape.

import HTTPTypes
import Hummingbird
import Logging
import Wire

/// What nobody expected is logged and told as `internal`, without its words.
struct FailureMiddleware: RouterMiddleware {
    let table: RouteTable

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as APIFailure {
            return .failure(failure)
        } catch let error as HTTPError where error.status == .notFound {
            let methods = table.methods(of: request.uri.path)
            return .failure(methods.isEmpty ? .noRoute : .wrongMethod(methods))
        } catch let error as HTTPError {
            return .failure(.refusal(status: error.status.code, reason: error.body ?? error.status.reasonPhrase))
        } catch is BrokenBody {
            // Nobody is there to read it; the guard has ended the connection.
            return .failure(APIFailure(.incomplete, "the body did not end", place: "body"))
        } catch is CancellationError {
            return .failure(APIFailure(.shuttingDown, "the API is stopping"))
        } catch {
            context.logger.error(
                "unexpected error", metadata: ["job": "\(Self.job(of: request.uri.path))", "error": "\(error)"])
            return .failure(APIFailure(.internal, "internal error; see the log of bulkhead-apid"))
        }
    }

    /// The id in `/jobs/17/log`; `none` elsewhere.
    private static func job(of path: String) -> String {
        let parts = path.split(separator: "/")
        return parts.count > 1 && parts[0] == "jobs" ? UInt64(parts[1]).map { "\($0)" } ?? "none" : "none"
    }
}
