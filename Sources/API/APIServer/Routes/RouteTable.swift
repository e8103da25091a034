// RouteTable: every row of the API, and the router that is made from it.

import HTTPTypes
import Hummingbird

/// All routes. A new noun is a file beside this one and a line here.
struct RouteTable: Sendable {
    let routes: [Route]
    private let meter: APIMeter

    init(scheduler: SchedulerBridge, meter: APIMeter, limits: HTTPLimits) {
        self.meter = meter
        var routes = HealthRoutes.all(scheduler)
        routes += JobRoutes.all(scheduler)
        routes += LogRoutes.all(scheduler)
        routes += RunnerRoutes.all(scheduler)
        routes += SourceRoutes.all(scheduler)
        routes += OrderRoutes.all(scheduler)
        routes += SecretRoutes.all(scheduler)
        routes += PeopleRoutes.all(scheduler)
        routes += InsightRoutes.all(scheduler, meter)
        routes += ProjectRoutes.all(scheduler)
        routes += WebhookRoutes.all(
            scheduler, WebhookRoom(bytes: limits.webhookRoom, deliveries: limits.webhooks))
        routes += OpenAPIRoutes.all()
        let document = OpenAPIDocument(routes: routes).bytes
        self.routes = routes.map {
            $0.operation == OpenAPIRoutes.operation ? OpenAPIRoutes.answering($0, document) : $0
        }
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.middlewares.add(MeterMiddleware(meter: meter, routes: Set(routes.map(\.path))))
        router.middlewares.add(FailureMiddleware(table: self))
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await route.answer(APIRequest(request: request, context: context))
            }
        }
        return router
    }

    /// The methods that `path` takes; none if there is no such path.
    func methods(of path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        return routes.filter { route in
            let pattern = route.path.split(separator: "/")
            return pattern.count == parts.count && zip(pattern, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }.map(\.method)
    }
}
