// JSONSpec: from a JSON body to a SpecValue, or to the API's words for what is wrong with it. What a job file means is
// JobFile's business.

import Documents
import JobModel
import Wire

enum JSONSpec {
    /// Any JSON document of a sensible size.
    static func document(_ bytes: [UInt8]) throws(APIFailure) -> SpecValue {
        do {
            let bounds = JSONReader.Bounds(depth: JobFile.Bounds.depth, values: JobFile.Bounds.values)
            return try JSONReader.document(bytes, bounds: bounds)
        } catch {
            throw failure(error)
        }
    }

    private static func failure(_ refused: JSONReader.Refused) -> APIFailure {
        switch refused {
        case .syntax(let message, let place):
            APIFailure(
                .invalid, "the body is not JSON: line \(place.line), column \(place.column): \(message)",
                place: "body")
        case .tooDeep(let place):
            APIFailure(
                .invalid,
                "the body is nested more than \(JobFile.Bounds.depth) deep at line \(place.line), "
                    + "column \(place.column)",
                place: "body")
        case .tooLong(let place), .twice(let place):
            APIFailure(.invalid, "the body is not one at line \(place.line), column \(place.column)", place: "body")
        case .tooMany: APIFailure(.tooLarge, "the body has more than \(JobFile.Bounds.values) values", place: "body")
        }
    }
}

/// The body of POST /jobs: a job file, and beside it the source that was uploaded for it.
enum JobBody {
    static func read(_ bytes: [UInt8]) throws(APIFailure) -> (JobFile, Source?) {
        let document = try JSONSpec.document(bytes)
        guard case .map(let entries) = document.content else {
            throw APIFailure(.invalid, "the body must be a JSON object", place: "body")
        }
        let rest = SpecValue(.map(entries.filter { $0.key != "source" }), place: document.place)
        let sources = entries.filter { $0.key == "source" }
        if sources.count > 1 { throw APIFailure(.invalid, "is given twice; keep one", place: "source") }
        let source = try sources.first.flatMap { (entry) throws(APIFailure) in try self.source(entry.value) }
        switch JobFile.parse(rest) {
        case .success(let file): return (file, source)
        case .failure(let problems): throw APIFailure(problems)
        }
    }

    private static func source(_ value: SpecValue) throws(APIFailure) -> Source? {
        if value.content == .null { return nil }
        guard case .map(let entries) = value.content, entries.count == 2,
            case .string(let hex)? = entries.first(where: { $0.key == "sha256" })?.value.content,
            case .integer(let size)? = entries.first(where: { $0.key == "size" })?.value.content,
            let sha256 = Bytes32(hex: hex), size > 0
        else {
            throw APIFailure(.invalid, "must be {sha256, size}, as POST /sources answered", place: "source")
        }
        return Source(sha256: sha256, size: UInt64(size))
    }
}
