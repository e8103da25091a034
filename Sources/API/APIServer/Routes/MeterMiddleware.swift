// MeterMiddleware: counts every answer of the router, failures included.

import Hummingbird

struct MeterMiddleware: RouterMiddleware {
    let meter: APIMeter

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        meter.count(request.method, route: context.endpointPath, status: response.status)
        return response
    }
}
