// Wording: texts in the lengths that forges take.

package enum Wording {
    /// At most `most` characters as a forge counts them (code points), on one line; a longer one ends in `...`, and
    /// not in the middle of a letter.
    package static func short(_ text: String, _ most: Int) -> String {
        let line = String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        if line.unicodeScalars.count <= most { return line }
        var (kept, count) = ("", 0)
        for letter in line {
            count += letter.unicodeScalars.count
            if count > most - 3 { break }
            kept.append(letter)
        }
        return kept + "..."
    }

    /// At most `most` bytes of a text with lines, whole letters only.
    package static func long(_ text: String, _ most: Int) -> String {
        if text.utf8.count <= most { return text }
        var (kept, count) = ("", 0)
        for letter in text {
            count += letter.utf8.count
            if count > most - 3 { break }
            kept.append(letter)
        }
        return kept + "..."
    }

    /// A name of ours, which cannot be shortened without being another one.
    package static func name(_ text: String, _ most: Int, _ what: String) throws(ForgeProblem) -> String {
        guard (1...most).contains(text.unicodeScalars.count), text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .unusable(what)
        }
        return text
    }

    /// Nil stays nil; what is no link for a reader to follow is refused.
    package static func link(_ text: String?, _ most: Int) throws(ForgeProblem) -> String? {
        guard let text else { return nil }
        guard text.utf8.count <= most,
            text.utf8.starts(with: "https://".utf8) || text.utf8.starts(with: "http://".utf8),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .unusable("link") }
        return text
    }
}
