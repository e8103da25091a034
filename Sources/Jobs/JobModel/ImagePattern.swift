// ImagePattern: images that a job of GitLab's may name. A name stands for itself, letter by letter, and one with `*` at
// its end for all that begin so. No registry, tag or digest is thought of: `debian` is not `debian:latest`.

package struct ImagePattern: Equatable, Sendable {
    package let text: String

    /// Of text that was checked before.
    package init(_ text: String) { self.text = text }

    package func admits(_ image: String) -> Bool {
        guard text.utf8.last == UInt8(ascii: "*") else { return image.utf8.elementsEqual(text.utf8) }
        return image.utf8.starts(with: text.utf8.dropLast())
    }

    /// Where nothing is listed, everything is.
    package static func admits(_ patterns: [ImagePattern], _ image: String) -> Bool {
        patterns.isEmpty || patterns.contains { $0.admits(image) }
    }
}
