// R14: the tar reader without a disk: what it refuses (TarCorpus), what it takes, and that pieces of any size read the
// same.

import RunnerCore
import Tar
import TarFixtures
import Testing

/// Writes down what it is told.
struct RecordingSink: TarSink {
    var log: [String] = []
    var content: [UInt8] = []

    static func text(_ path: TarPath) -> String {
        path.components.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    }

    mutating func directory(_ path: TarPath) { log.append("directory \(Self.text(path))") }
    mutating func beginFile(_ file: TarFile) {
        log.append("\(file.isExecutable ? "program" : "file") \(Self.text(file.path)) \(file.size) \(file.modified)")
        content = []
    }
    mutating func write(_ bytes: ArraySlice<UInt8>) { content += bytes }
    mutating func endFile() { log.append("content \(content.count) \(content.reduce(0) { $0 &* 31 &+ Int($1) })") }
    mutating func symbolicLink(_ path: TarPath, target: [UInt8]) {
        log.append("link \(Self.text(path)) -> \(String(decoding: target, as: UTF8.self))")
    }
    mutating func hardLink(_ path: TarPath, to existing: TarPath) {
        log.append("hard link \(Self.text(path)) to \(Self.text(existing))")
    }
}

@Suite struct TarReaderTests {
    static func limits() -> TarLimits {
        var limits = TarLimits()
        limits.entries = 50
        limits.fileSize = 1 << 20
        return limits
    }

    /// What was read up to the error, and the error.
    static func read(_ pieces: [ArraySlice<UInt8>]) -> (log: [String], error: TarError?) {
        var reader = TarReader(into: RecordingSink(), limits: limits())
        do throws(TarError) {
            for piece in pieces { try reader.consume(piece) }
            try reader.finish()
        } catch {
            return (reader.sink.log, error)
        }
        return (reader.sink.log, nil)
    }

    @Test func theCorpusIsLarge() { #expect(TarCorpus.all.count >= 200) }

    @Test(arguments: TarCorpus.all)
    func isRefused(_ bad: TarCase) {
        #expect(Self.read([bad.bytes[...]]).error?.problem == bad.problem)
        // And byte by byte just the same.
        let pieces = bad.bytes.indices.map { bad.bytes[$0...$0] }
        #expect(Self.read(pieces).error?.problem == bad.problem)
    }

    /// The positive control: the same shapes with nothing wrong in them are taken.
    static let good = TarBuilder.archive {
        $0.metadata("g", TarBuilder.pax("comment", Array("0123456789abcdef".utf8)))
        $0.directory("./")
        $0.directory("a/")
        $0.file("a/file", Array("hello\n".utf8))
        $0.file("./a/./program", [UInt8](repeating: 7, count: 512), mode: "0004755")
        $0.file("a/empty")
        $0.symbolicLink("a/link", to: "../b/c")
        $0.symbolicLink("a/here", to: "./file")
        $0.hardLink("hard", to: "a/file")
        let long = "long/" + String(repeating: "n", count: 200)
        $0.metadata("x", TarBuilder.pax("path", Array(long.utf8)) + TarBuilder.pax("mtime", Array("12.5".utf8)))
        $0.file("short", [1])
        $0.metadata("L", Array("gnu/name".utf8) + [0])
        $0.raw(TarBuilder.header(Array("gnu".utf8), size: 0, magic: "ustar  \u{0}"))
        $0.metadata("x", TarBuilder.pax("size", Array("3".utf8)))
        $0.raw(TarBuilder.header(Array("sized".utf8), size: 0) + TarBuilder.padded([1, 2, 3]))
        $0.raw(TarBuilder.header(Array("name".utf8), size: 0, prefix: Array("prefix/of/it".utf8)))
    }

    @Test func whatIsWellMadeIsTaken() {
        let (log, error) = Self.read([Self.good[...]])
        #expect(error == nil)
        #expect(
            log.filter { !$0.hasPrefix("content") } == [
                "directory ", "directory a", "file a/file 6 1700000000", "program a/program 512 1700000000",
                "file a/empty 0 1700000000", "link a/link -> ../b/c", "link a/here -> ./file",
                "hard link hard to a/file",
                "file long/\(String(repeating: "n", count: 200)) 1 12", "file gnu/name 0 1700000000",
                "file sized 3 1700000000", "file prefix/of/it/name 0 1700000000",
            ])
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func piecesOfAnySizeReadTheSame(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let whole = Self.read([Self.good[...]])
        var pieces: [ArraySlice<UInt8>] = []
        var rest = Self.good[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...(seed % 2 == 0 ? 17 : 1500), using: &random)
            pieces.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(Self.read(pieces) == whole, "seed \(seed)")
    }

    /// Any byte of a header may be anything: an error or an archive, never a crash, and never a path that leaves.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func damageIsRefusedOrHarmless(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            var bytes = Self.good
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let (log, _) = Self.read([bytes[...]])
            #expect(!log.contains { $0.contains("..") && !$0.hasPrefix("link") }, "seed \(seed)")
        }
    }

    @Test func anErrorNamesTheEntryInPlainLetters() {
        let error = TarError(.pathLeaves, entry: Array("../x\u{1b}[31m\n".utf8))
        #expect(error.description == "source archive: entry '../x?[31m?': path leaves the directory")
        let bad = TarBuilder.archive { $0.file("../x") }
        #expect(Self.read([bad[...]]).error?.description == "source archive: entry '../x': path leaves the directory")
    }
}
