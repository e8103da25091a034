// SecretText: a value that came inside of a document and is somebody's secret, or such a document. It says its length
// and nothing else, wherever it is printed; its memory is overwritten when it is freed, as all of courierd's is.

package struct SecretText: Equatable, Sendable {
    package let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(a secret of \(bytes.count) bytes)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
