// Holds answers against /openapi.json: as much of JSON Schema as the document uses, and nothing is skipped silently.

import Foundation

struct OpenAPICheck {
    private let document: [String: Any]

    init(_ answer: Answer) throws {
        document = try answer.json
    }

    var version: String? { document["openapi"] as? String }

    var rows: [(method: String, path: String)] {
        paths.flatMap { path, methods in methods.keys.map { ($0.uppercased(), path) } }
    }

    func isOpen(_ method: String, _ path: String) -> Bool { operation(method, path)?["security"] == nil }

    /// What is wrong with an answer; empty if it is as described.
    func problems(of answer: Answer, _ method: String, _ path: String) -> [String] {
        guard let responses = operation(method, path)?["responses"] as? [String: [String: Any]],
            let response = responses[String(answer.status)] ?? responses["default"],
            let content = response["content"] as? [String: [String: Any]]
        else { return ["\(method) \(path) is not described"] }
        let type = answer.header("content-type") ?? ""
        guard let schema = content[type]?["schema"] as? [String: Any] else { return ["\(type) is not described"] }
        guard type == "application/json" else { return [] }
        guard let value = try? JSONSerialization.jsonObject(with: Data(answer.body)) else { return ["not JSON"] }
        return check(value, schema, at: "$")
    }

    private var paths: [String: [String: Any]] { document["paths"] as? [String: [String: Any]] ?? [:] }

    private func operation(_ method: String, _ path: String) -> [String: Any]? {
        paths[path]?[method.lowercased()] as? [String: Any]
    }

    private func check(_ value: Any, _ schema: [String: Any], at place: String) -> [String] {
        if let name = (schema["$ref"] as? String)?.split(separator: "/").last.map(String.init) {
            let schemas = (document["components"] as? [String: Any])?["schemas"] as? [String: [String: Any]]
            guard let target = schemas?[name] else { return ["\(place): no schema \(name)"] }
            return check(value, target, at: place)
        }
        switch schema["type"] as? String {
        case "string":
            guard let text = value as? String else { return ["\(place): not a string"] }
            let words = schema["enum"] as? [String]
            return words.map { $0.contains(text) } ?? true ? [] : ["\(place): \(text) is not in the list"]
        case "integer":
            return isNumber(value) && (value as? Double)?.rounded() == value as? Double
                ? [] : ["\(place): not an integer"]
        case "number": return isNumber(value) ? [] : ["\(place): not a number"]
        case "boolean": return value is Bool && !isNumber(value) ? [] : ["\(place): not a boolean"]
        case "array":
            guard let list = value as? [Any], let items = schema["items"] as? [String: Any] else {
                return ["\(place): not an array"]
            }
            return list.enumerated().flatMap { check($1, items, at: "\(place)[\($0)]") }
        case "object": return checkObject(value, schema, at: place)
        case let other: return ["\(place): type \(other ?? "missing") is not checked"]
        }
    }

    private func checkObject(_ value: Any, _ schema: [String: Any], at place: String) -> [String] {
        guard let object = value as? [String: Any] else { return ["\(place): not an object"] }
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        let required = schema["required"] as? [String] ?? []
        var problems = required.filter { object[$0] == nil }.map { "\(place).\($0) is missing" }
        for (key, value) in object {
            if let property = properties[key] {
                problems += check(value, property, at: "\(place).\(key)")
            } else if schema["additionalProperties"] as? Bool == false {
                problems.append("\(place).\(key) is not described")
            }
        }
        return problems
    }

    private func isNumber(_ value: Any) -> Bool {
        guard let number = value as? NSNumber else { return false }
        return !["c", "B"].contains(String(cString: number.objCType))
    }
}
