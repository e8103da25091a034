// The form of our small text files: `word value` a line, each word once. Written by `bulkhead up`, read by the CLI and
// by brokerd.

import Wire

/// The lines of such a file.
struct LineFile {
    private var values: [String: (line: Int, value: String)] = [:]

    /// Reads `text`, in which exactly the words `expected` stand, one a line. The order does not matter.
    init(_ text: some StringProtocol, expected: [String], firstLine: Int = 1) throws(OrderError) {
        var number = firstLine
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            defer { number += 1 }
            if line.isEmpty { continue }
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            // The value is never repeated in an error: it may be the private key, a word off.
            guard parts.count == 2, expected.contains(String(parts[0])) else {
                throw .badFile(line: number, "expected one of: \(expected.joined(separator: ", ")), a space, a value")
            }
            if values.updateValue((number, String(parts[1])), forKey: String(parts[0])) != nil {
                throw .badFile(line: number, "'\(parts[0])' stands twice")
            }
        }
        for word in expected where values[word] == nil { throw .badFile(line: 0, "the line '\(word)' is missing") }
    }

    func text(_ word: String) throws(OrderError) -> String {
        guard let value = values[word]?.value, (1...64).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw .badFile(line: values[word]?.line ?? 0, "'\(word)' has 1 to 64 printable characters, no space")
        }
        return value
    }

    func bytes32(_ word: String) throws(OrderError) -> Bytes32 {
        guard let value = values[word]?.value, let bytes = Bytes32(hex: value) else {
            throw .badFile(line: values[word]?.line ?? 0, "'\(word)' has 64 lower-case hex digits")
        }
        return bytes
    }
}
