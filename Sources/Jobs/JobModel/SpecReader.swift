// SpecReader: walks a SpecValue and collects every mistake instead of stopping at the first one.
// JobFile+Parse.swift drives it, and so does the reader of projects.

package import Documents

/// Collects problems while typed values are taken out of a document.
package struct SpecReader {
    package private(set) var problems: [JobFileProblem] = []
    /// Problems beyond those that are told.
    private(set) var more = 0
    /// What templates have come to so far, in bytes; whoever expands them counts.
    package var expanded = 0

    package init() {}

    /// Words are only made for what is told: a document may be wrong everywhere, and its author a stranger.
    package mutating func report(
        _ path: @autoclosure () -> String, _ place: Place?, _ message: @autoclosure () -> String
    ) {
        guard problems.count < JobFile.Bounds.problems else {
            more += 1
            return
        }
        problems.append(JobFileProblem(path: path(), place: place, message: message()))
    }

    /// What another reader has found.
    package mutating func report(_ others: JobFileProblems) {
        for problem in others.problems { report(problem.path, problem.place, problem.message) }
        more += others.more
    }

    /// The problems, in the order of the document where that is known.
    package var found: JobFileProblems {
        let sorted = problems.enumerated().sorted { left, right in
            guard let first = left.element.place, let second = right.element.place, first != second else {
                return left.offset < right.offset
            }
            return (first.line, first.column) < (second.line, second.column)
        }
        return JobFileProblems(problems: sorted.map(\.element), more: more)
    }

    /// A key as it is shown in a path: one that nobody meant to write is not repeated in full. One character can be
    /// as long as a document; a scalar cannot.
    package static func shown(_ key: String) -> String {
        key.utf8.count <= longestWord ? key : String(String.UnicodeScalarView(key.unicodeScalars.prefix(48))) + "…"
    }

    /// In bytes; a longer one is no mistyped word.
    private static let longestWord = 64

    /// The entries of a map by key. Unknown and repeated keys are reported with the nearest known one.
    package mutating func map(_ value: SpecValue, at path: String, keys: [String]) -> [String: SpecValue]? {
        guard case .map(let entries) = value.content else {
            report(
                path, value.place,
                "must be a mapping with the keys \(keys.joined(separator: ", ")); it is \(value.kind)")
            return nil
        }
        var found: [String: SpecValue] = [:]
        for entry in entries {
            let problem: (String) -> String
            if !keys.contains(entry.key) {
                problem = { Self.unknown($0, among: keys) }
            } else if found.updateValue(entry.value, forKey: entry.key) != nil {
                problem = { _ in "is given twice; keep one" }
            } else {
                continue
            }
            report((path.isEmpty ? "" : "\(path).") + Self.shown(entry.key), entry.place, problem(entry.key))
        }
        return found
    }

    /// A text of bounded length without NUL.
    package mutating func text(_ value: SpecValue, at path: String, bytes: ClosedRange<Int>) -> String? {
        let text: String
        switch value.content {
        case .string(let string): text = string
        case .integer(let number): text = String(number)
        case .bool(let flag): text = String(flag)
        case .float:
            // 1.10 would arrive as 1.1, and few mean that.
            report(path, value.place, "is a number with a fraction; write it in quotes to keep it as it is")
            return nil
        case .null, .list, .map:
            report(path, value.place, "must be a text; it is \(value.kind)")
            return nil
        }
        if text.utf8.contains(0) {
            report(path, value.place, "must not hold a NUL byte")
            return nil
        }
        guard bytes.contains(text.utf8.count) else {
            let want =
                text.isEmpty ? "must not be empty" : "is \(text.utf8.count) bytes long; at most \(bytes.upperBound) fit"
            report(path, value.place, want)
            return nil
        }
        return text
    }

    package mutating func bool(_ value: SpecValue, at path: String) -> Bool? {
        if case .bool(let flag) = value.content { return flag }
        report(path, value.place, "must be true or false; it is \(value.kind)")
        return nil
    }

    /// A number that `read` understands, within `range`. `example` shows how to write one.
    mutating func number(
        _ value: SpecValue, at path: String, in range: ClosedRange<Int64>, example: String,
        show: (Int64) -> String, read: (SpecValue.Content) -> Int64?
    ) -> Int64? {
        guard let number = read(value.content) else {
            report(path, value.place, "is not understood; write it like \(example)")
            return nil
        }
        guard range.contains(number) else {
            report(path, value.place, "must be between \(show(range.lowerBound)) and \(show(range.upperBound))")
            return nil
        }
        return number
    }

    /// One of a closed set of words.
    package mutating func word<Word: RawRepresentable & CaseIterable>(_ value: SpecValue, at path: String, _: Word.Type)
        -> Word?
    where Word.RawValue == String {
        if case .string(let text) = value.content, let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue)
        if case .string(let text) = value.content {
            report(path, value.place, Self.unknown(text, among: words))
        } else {
            report(path, value.place, "must be one of \(words.joined(separator: ", ")); it is \(value.kind)")
        }
        return nil
    }

    /// That a word is not one of those, and which was meant.
    package static func unknown(_ word: String, among known: [String]) -> String {
        if word.utf8.count <= longestWord {
            let letters = Array(word.unicodeScalars)
            let nearest = known.map { (word: $0, distance: distance(Array($0.unicodeScalars), letters)) }
                .min { $0.distance < $1.distance }
            if let nearest, nearest.distance <= max(1, letters.count / 3) {
                return "is not known; did you mean '\(nearest.word)'?"
            }
        }
        return "is not known; known are \(known.joined(separator: ", "))"
    }

    /// How many letters were mistyped, left out, added, or swapped with the next.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var (before, row) = ([Int](), Array(0...right.count))
        for i in left.indices {
            var next = [i + 1]
            for j in right.indices {
                var least = min(row[j] + (left[i] == right[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    least = min(least, before[j - 1] + 1)
                }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}
