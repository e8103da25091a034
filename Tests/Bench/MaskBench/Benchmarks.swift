// What is measured, and with what.

import Files
import Masker
import Posix

private let secretCount = 100
/// relayd takes log records of at most 32 KiB.
private let piece = 32_768

private func secrets() -> [[UInt8]] {
    var generator = LogText(seed: 11)
    return (0..<secretCount).map { _ in generator.characters(20 + generator.next(21), LogText.token) }
}

/// A value about every 64 KiB.
func writeFiles(_ directory: String, _ mebibytes: Int) throws {
    let values = secrets()
    var generator = LogText(seed: 5)
    var text: [UInt8] = []
    text.reserveCapacity(mebibytes << 20)
    var next = 0
    while text.count < mebibytes << 20 {
        text += generator.line()
        if text.count > next {
            text += Array("token ".utf8) + values[generator.next(values.count)] + [10]
            next += 65_536
        }
    }
    try put(text, "\(directory)/text")
    try put(values.flatMap { $0 + [10] }, "\(directory)/secrets")
    let patterns = Patterns()
    for value in values { try patterns.add(value) }
    try put(patterns.all().flatMap { $0 + [10] }, "\(directory)/patterns")
}

func speed(_ directory: String, _ count: Int) throws {
    let text = try Posix.readFile("\(directory)/text", limit: 4 << 30)
    let masker = Masker()
    let start = Posix.monotonicNow()
    if count > 0 { try masker.add { patterns in for value in secrets().prefix(count) { try patterns.add(value) } } }
    let built = Posix.monotonicNow()
    var written = 0
    var output: [UInt8] = []
    output.reserveCapacity(2 * piece)
    text.withUnsafeBytes { text in
        for start in stride(from: 0, to: text.count, by: piece) {
            output.removeAll(keepingCapacity: true)
            masker.mask(UnsafeRawBufferPointer(rebasing: text[start..<min(start + piece, text.count)]), into: &output)
            written += output.count
        }
    }
    written += masker.flush().count
    print(Double(text.count) / Double(Posix.monotonicNow() - built))
    print(Double(built - start) / 1e6)
    print(written)
}

private func put(_ bytes: [UInt8], _ path: String) throws {
    let file = try Posix.open(path, [.writeOnly, .create, .truncate])
    try Posix.writeAll(file.raw, bytes)
}
