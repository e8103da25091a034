// MeterMiddleware: counts every answer of the router, failures included.

import Hummingbird

struct MeterMiddleware: RouterMiddleware {
    let meter: APIMeter
    /// What Hummingbird calls the endpoint of a path that is none is no route.
    let routes: Set<String>

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        meter.count(
            request.method, route: context.endpointPath.flatMap { routes.contains($0) ? $0 : nil },
            status: response.status)
        return response
    }
}
