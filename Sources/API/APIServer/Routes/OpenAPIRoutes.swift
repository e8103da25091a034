// The API's own description, made from the table of routes.

import Hummingbird
import Wire

enum OpenAPIRoutes {
    static let operation = "getOpenAPI"

    static func all() -> [Route] {
        [
            Route(
                method: .get, path: "/openapi.json", scope: .open, operation: operation,
                summary: "This document.", successes: [(200, "An OpenAPI 3.1 document.", "OpenAPI")]
            ) { _ in throw APIFailure(.notReady, "the document is not made yet") }
        ]
    }

    /// The same row, with the finished document as its answer.
    static func answering(_ route: Route, _ document: [UInt8]) -> Route {
        Route(
            method: route.method, path: route.path, scope: route.scope, operation: route.operation,
            summary: route.summary, successes: route.successes
        ) { _ in .json(bytes: document) }
    }
}
