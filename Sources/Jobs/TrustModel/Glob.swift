// Glob: a pattern for names of branches, of tags and of files. The pattern is the project's, the text a stranger's: so
// it is matched in one pass over the text, whatever both look like.

/// `*` is anything without a slash, `**` anything, `**/` any number of folders, none included, and `?` one character
/// that is no slash. Everything else stands for itself, scalar by scalar: git tells names apart that Swift's `==` takes
/// for the same text.
package struct Glob: Hashable, Sendable {
    private enum Token: Hashable {
        case scalar(Unicode.Scalar)
        case one
        case run
        case anything
        /// May be left out together with what follows it.
        case folders
        /// Up to a slash.
        case folderEnd
    }

    package let text: String
    private let tokens: [Token]

    /// In bytes.
    package static let longest = 256
    /// Of what is matched, in bytes; what is longer is no name that git has, and matches nothing.
    package static let longestText = 4096

    package init(_ text: String) {
        self.text = text
        let scalars = Array(text.unicodeScalars)
        var tokens: [Token] = []
        var index = 0
        while index < scalars.count {
            let stars = scalars[index...].prefix { $0 == "*" }.count
            switch (stars, scalars[index]) {
            case (0, "?"): tokens.append(.one)
            case (0, let scalar): tokens.append(.scalar(scalar))
            case (1, _): tokens.append(.run)
            default:
                let isFolder = index == 0 || scalars[index - 1] == "/"
                index += stars - 1
                if isFolder, index + 1 < scalars.count, scalars[index + 1] == "/" {
                    tokens += [.folders, .folderEnd]
                    index += 1
                } else {
                    tokens.append(.anything)
                }
            }
            index += 1
        }
        self.tokens = tokens
    }

    package func matches(_ text: String) -> Bool {
        guard text.utf8.count <= Self.longestText else { return false }
        // All tokens that could be next: a text is read once, and nothing is tried again.
        var places = [Bool](repeating: false, count: tokens.count + 1)
        arrive(at: 0, in: &places)
        for scalar in text.unicodeScalars {
            var next = [Bool](repeating: false, count: tokens.count + 1)
            for (index, token) in tokens.enumerated() where places[index] {
                switch token {
                case .scalar(let wanted): if scalar == wanted { arrive(at: index + 1, in: &next) }
                case .one: if scalar != "/" { arrive(at: index + 1, in: &next) }
                case .run: if scalar != "/" { arrive(at: index, in: &next) }
                case .anything: arrive(at: index, in: &next)
                case .folders: break
                case .folderEnd:
                    next[index] = true
                    if scalar == "/" { arrive(at: index + 1, in: &next) }
                }
            }
            places = next
        }
        return places[tokens.count]
    }

    /// Marks a token, and those that may come in its stead because it can be empty.
    private func arrive(at index: Int, in places: inout [Bool]) {
        guard !places[index] else { return }
        places[index] = true
        guard index < tokens.count else { return }
        switch tokens[index] {
        case .run, .anything: arrive(at: index + 1, in: &places)
        case .folders:
            places[index + 1] = true
            arrive(at: index + 2, in: &places)
        case .scalar, .one, .folderEnd: break
        }
    }
}

extension Glob {
    /// What is wrong with a pattern, for its author; nil if nothing is.
    package static func problem(_ text: String) -> String? {
        if text.isEmpty { return "must not be empty" }
        if text.utf8.count > longest { return "is \(text.utf8.count) bytes long; at most \(longest) fit" }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return "must not hold control characters"
        }
        if text.unicodeScalars.contains(where: { "[]{}\\".unicodeScalars.contains($0) }) {
            return "knows *, ** and ? alone; write ? for a character that is [, ], {, } or \\"
        }
        return text.hasPrefix("/") ? "begins with / and so matches nothing; leave that out" : nil
    }
}

/// A filter: what some pattern admits and no `!pattern` excludes. Where no pattern admits anything, everything is
/// admitted.
package struct Patterns: Equatable, Sendable {
    package var admitted: [Glob]
    package var excluded: [Glob]

    package init(admitted: [Glob] = [], excluded: [Glob] = []) {
        self.admitted = admitted
        self.excluded = excluded
    }

    package var isEmpty: Bool { admitted.isEmpty && excluded.isEmpty }

    package func admit(_ text: String) -> Bool {
        (admitted.isEmpty || admitted.contains { $0.matches(text) }) && !excluded.contains { $0.matches(text) }
    }
}
