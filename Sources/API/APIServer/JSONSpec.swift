// JSONSpec: from a JSON body to a SpecValue. Foundation's parser bounds the depth, the budget bounds the work:
// anybody may send a body, since tokens are judged by schedulerd, later. What a job file means is JobFile's business.

import FoundationEssentials
import JobModel
import Wire

enum JSONSpec {
    /// More values than the largest job file has, several times over.
    static let valueLimit = 2_000

    /// Any JSON document of a sensible size.
    static func document(_ bytes: [UInt8]) throws(APIFailure) -> SpecValue {
        do {
            let decoder = JSONDecoder()
            decoder.userInfo[Budget.key] = Budget(left: valueLimit)
            return try decoder.decode(Tree.self, from: Data(bytes)).value
        } catch is Budget.Spent {
            throw APIFailure(.tooLarge, "the body has more than \(valueLimit) values", place: "body")
        } catch {
            throw APIFailure(.invalid, "the body is not JSON: \(words(error))", place: "body")
        }
    }

    private static func words(_ error: any Error) -> String {
        guard case DecodingError.dataCorrupted(let context) = error else { return "it cannot be read" }
        return context.debugDescription
    }

    /// How many more values a document may have.
    private final class Budget: @unchecked Sendable {
        struct Spent: Error {}

        // The key's name is a constant; a nil here is a mistake of the standard library.
        static let key = CodingUserInfoKey(rawValue: "budget").unsafelyUnwrapped
        private var left: Int

        init(left: Int) { self.left = left }

        func spend() throws {
            if left == 0 { throw Spent() }
            left -= 1
        }
    }

    /// A JSON value of any kind.
    private struct Tree: Decodable {
        let value: SpecValue

        private struct Key: CodingKey {
            let stringValue: String
            let intValue: Int? = nil
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            try (decoder.userInfo[Budget.key] as? Budget)?.spend()
            if let keyed = try? decoder.container(keyedBy: Key.self) {
                let entries = try keyed.allKeys.sorted { $0.stringValue < $1.stringValue }.map { key in
                    SpecValue.Entry(key: key.stringValue, value: try keyed.decode(Tree.self, forKey: key).value)
                }
                value = SpecValue(.map(entries))
            } else if var list = try? decoder.unkeyedContainer() {
                var items: [SpecValue] = []
                while !list.isAtEnd { items.append(try list.decode(Tree.self).value) }
                value = SpecValue(.list(items))
            } else {
                value = SpecValue(try Self.scalar(try decoder.singleValueContainer()))
            }
        }

        private static func scalar(_ container: any SingleValueDecodingContainer) throws -> SpecValue.Content {
            if container.decodeNil() { return .null }
            if let flag = try? container.decode(Bool.self) { return .bool(flag) }
            if let number = try? container.decode(Int64.self) { return .integer(number) }
            if let number = try? container.decode(Double.self) { return .float(number) }
            return .string(try container.decode(String.self))
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
        let rest = SpecValue(.map(entries.filter { $0.key != "source" }))
        let source = try entries.first { $0.key == "source" }.flatMap { (entry) throws(APIFailure) in
            try self.source(entry.value)
        }
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
