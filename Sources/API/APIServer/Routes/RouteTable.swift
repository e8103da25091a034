// RouteTable: every row of the API, and the router that is made from it.

import Hummingbird
import Logging

/// All routes. A new noun is a file beside this one and a line here.
struct RouteTable: Sendable {
    let routes: [Route]

    init(scheduler: SchedulerBridge) {
        var routes = HealthRoutes.all(scheduler)
        routes += JobRoutes.all(scheduler)
        routes += LogRoutes.all(scheduler)
        routes += RunnerRoutes.all(scheduler)
        routes += SourceRoutes.all(scheduler)
        routes += OpenAPIRoutes.all()
        let document = OpenAPIDocument(routes: routes).bytes
        self.routes = routes.map { $0.operation == OpenAPIRoutes.operation ? OpenAPIRoutes.answering($0, document) : $0 }
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.middlewares.add(FailureMiddleware())
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await route.handle(APIRequest(request: request, context: context))
            }
        }
        return router
    }
}

/// Turns every error into the one shape; what nobody expected is logged and told as `internal`, without its words.
struct FailureMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as APIFailure {
            return .failure(failure)
        } catch let error as HTTPError where error.status == .notFound {
            return .failure(.noRoute)
        } catch let error as HTTPError {
            return .failure(.refusal(status: error.status.code, reason: error.body ?? error.status.reasonPhrase))
        } catch {
            context.logger.error("unexpected error", metadata: ["error": "\(error)"])
            return .failure(APIFailure(.internal, "internal error; see the log of bulkhead-apid"))
        }
    }
}
