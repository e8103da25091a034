// OpenAPIDocument: OpenAPI 3.1, made from the rows of the route table and the schemas beside it.

import FoundationEssentials
import HTTPTypes
import JobModel

/// Builds the document once, at start.
struct OpenAPIDocument {
    let routes: [Route]

    var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(document) else { return Array("{}".utf8) }
        return Array(data)
    }

    var document: JSONTree {
        var paths: [String: [String: JSONTree]] = [:]
        for route in routes {
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] = operation(route)
        }
        return .object([
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string("Bulkhead"), "version": .string(Release.version),
                "summary": .string("Runs CI jobs whose authors are not trusted."),
                "license": .object(["name": .string("Apache-2.0"), "identifier": .string("Apache-2.0")]),
            ]),
            "paths": .object(paths.mapValues { .object($0) }),
            "components": .object([
                "schemas": .object(OpenAPISchemas.all),
                "securitySchemes": .object([
                    "token": .object(["type": .string("http"), "scheme": .string("bearer")])
                ]),
            ]),
        ])
    }

    private func operation(_ route: Route) -> JSONTree {
        var responses: [String: JSONTree] = [:]
        for success in route.successes {
            responses[String(success.status)] = response(success.about, schema: success.schema)
        }
        responses["default"] = response("An error.", schema: "Error")
        var fields: [String: JSONTree] = [
            "operationId": .string(route.operation), "summary": .string(route.summary),
            "responses": .object(responses),
        ]
        if !route.parameters.isEmpty { fields["parameters"] = .array(route.parameters.map(parameter)) }
        if route.scope == .token { fields["security"] = .array([.object(["token": .array([])])]) }
        switch route.body {
        case .none: break
        case .json(let schema, _):
            fields["requestBody"] = content("application/json", .reference(schema))
        case .bytes(let mediaType, _), .stream(let mediaType):
            fields["requestBody"] = content(mediaType, .object([:]))
        }
        return .object(fields)
    }

    private func content(_ mediaType: String, _ schema: JSONTree) -> JSONTree {
        .object(["required": .bool(true), "content": .object([mediaType: .object(["schema": schema])])])
    }

    private func response(_ about: String, schema: String?) -> JSONTree {
        let media: JSONTree
        switch schema {
        case nil: media = .object(["text/plain": .object(["schema": .object(["type": .string("string")])])])
        case "OpenAPI"?:
            media = .object(["application/json": .object(["schema": .object(["type": .string("object")])])])
        case let name?: media = .object(["application/json": .object(["schema": .reference(name)])])
        }
        return .object(["description": .string(about), "content": media])
    }

    private func parameter(_ parameter: RouteParameter) -> JSONTree {
        .object([
            "name": .string(parameter.name), "in": .string(parameter.location.rawValue),
            "required": .bool(parameter.location == .path), "description": .string(parameter.about),
            "schema": .object(["type": .string(parameter.type)]),
        ])
    }
}

/// A JSON value to be written.
enum JSONTree: Encodable, Equatable {
    case string(String)
    case bool(Bool)
    case integer(Int64)
    case array([JSONTree])
    case object([String: JSONTree])

    static func reference(_ schema: String) -> JSONTree {
        .object(["$ref": .string("#/components/schemas/\(schema)")])
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
