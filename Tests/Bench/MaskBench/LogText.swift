// A log as jobs write them: compilers, tests, downloads, JSON, digests. Seeded: the same text every time.

struct LogText {
    private var state: UInt64
    private static let words = [
        "the", "of", "building", "target", "warning", "unused", "variable", "error", "passed", "failed", "test", "in",
        "module",
        "linking", "package", "resolved", "download", "cache", "hit", "miss", "src/main/server.c",
        "Sources/Base/File.swift", "npm",
        "info", "debug", "container", "layer", "pulling", "0.42", "seconds", "100%", "expected", "actual", "nil",
        "return", "value",
    ]

    init(seed: UInt64) {
        state = seed
    }

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    /// `length` characters out of `alphabet`.
    mutating func characters(_ length: Int, _ alphabet: [UInt8]) -> [UInt8] {
        (0..<length).map { _ in alphabet[next(alphabet.count)] }
    }

    static let hex = Array("0123456789abcdef".utf8)
    static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let token = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// One line.
    mutating func line() -> [UInt8] {
        var line = Array(
            "2024-05-\(10 + next(20))T1\(next(10)):\(10 + next(50)):\(10 + next(50)).\(100 + next(900))Z ".utf8)
        switch next(10) {
        case 0: line += Array("sha256:".utf8) + characters(64, Self.hex)
        case 1:
            line +=
                Array("{\"level\":\"info\",\"id\":\(next(1_000_000)),\"data\":\"".utf8) + characters(40, Self.base64)
                + Array("\"}".utf8)
        default:
            for _ in 0..<(4 + next(12)) { line += Array(Self.words[next(Self.words.count)].utf8) + [32] }
        }
        return line + [10]
    }
}
