// The one error shape between processes: the payload of an error frame is also what Link's callers catch.

package import Wire

extension Failure: Error {}

extension Failure {
    /// Bounds of the fields in link.wire, in bytes of UTF-8.
    private static let placeLimit = 128
    private static let textLimit = 512

    /// Cuts what is too long for the frame and drops NULs: an error must never fail to be sent because of its own text.
    package init(_ code: ErrorCode, _ text: String, place: String = "") {
        self.init(
            code: code.rawValue,
            place: Self.fitting(place, Self.placeLimit),
            text: Self.fitting(text, Self.textLimit))
    }

    /// The code as the registry knows it; unknown ones stay what they are (`isRecognized` is false).
    package var errorCode: ErrorCode { ErrorCode(rawValue: code) }

    /// A message of ours that does not encode: the caller's value is at fault, and nothing was sent.
    package init(encoding error: WireError, place: String) {
        let code: ErrorCode = if case .frameTooLarge = error { .frameTooLarge } else { .invalid }
        self.init(code, error.description, place: place)
    }

    private static func fitting(_ text: String, _ limit: Int) -> String {
        let whole = text.utf8
        if whole.count <= limit && !whole.contains(0) { return text }
        var result = ""
        var length = 0
        for scalar in text.unicodeScalars where scalar.value != 0 {
            let size = UTF8.width(scalar)
            if length + size > limit { break }
            result.unicodeScalars.append(scalar)
            length += size
        }
        return result
    }
}
