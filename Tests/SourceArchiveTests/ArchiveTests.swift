// What a forge's archive becomes, and what none may become.

import Crypto
import Files
import Posix
import SourceArchive
import Tar
import TarFixtures
import Testing

/// One archive through the sink.
struct Repacked {
    let problem: ArchiveProblem?
    let archive: NormalArchive?
    /// What lies in the file.
    let bytes: [UInt8]

    init(_ input: [UInt8], limits: ArchiveLimits = ArchiveLimits(size: 1 << 30), piece: Int = 16_384) throws {
        let file = try Posix.openTemporary("/tmp")
        let sink = try ArchiveSink(into: file.raw, limits: limits)
        var rest = input[...]
        var isWanted = true
        while isWanted && !rest.isEmpty {
            isWanted = sink.take(rest.prefix(piece))
            rest = rest.dropFirst(piece)
        }
        do throws(ArchiveProblem) {
            archive = try sink.finish()
            problem = nil
        } catch {
            (archive, problem) = (nil, error)
        }
        bytes = try Posix.pread(file.raw, maximum: Int(try Posix.fstat(file.raw).size), at: 0)
    }

    /// What the runner makes of it.
    func members() throws -> [String] {
        var reader = TarReader(into: Listing())
        try reader.consume(bytes[...])
        try reader.finish()
        return reader.sink.lines
    }
}

struct Listing: TarSink {
    var lines: [String] = []
    private var content: [UInt8] = []

    static func text(_ path: TarPath) -> String { String(decoding: path.bytes, as: UTF8.self) }

    mutating func directory(_ path: TarPath) { lines.append("\(Self.text(path))/") }
    mutating func beginFile(_ file: TarFile) {
        lines.append("\(Self.text(file.path)) \(file.isExecutable ? "x" : "-") \(file.modified) ")
        content = []
    }
    mutating func write(_ bytes: ArraySlice<UInt8>) { content += bytes }
    mutating func endFile() { lines[lines.count - 1] += String(decoding: content, as: UTF8.self) }
    mutating func symbolicLink(_ path: TarPath, target: [UInt8]) {
        lines.append("\(Self.text(path)) -> \(String(decoding: target, as: UTF8.self))")
    }
    mutating func hardLink(_ path: TarPath, to existing: TarPath) {
        lines.append("\(Self.text(path)) = \(Self.text(existing))")
    }
}

@Suite struct ArchiveTests {
    static let good = TarBuilder.archive { tar in
        tar.metadata("g", TarBuilder.pax("comment", Array(repeating: 97, count: 40)))
        tar.directory("ship-1a2b/")
        tar.file("ship-1a2b/README", Array("hello".utf8))
        tar.directory("ship-1a2b/bin/")
        tar.file("ship-1a2b/bin/run", Array("#!".utf8), mode: "0000775")
        tar.symbolicLink("ship-1a2b/bin/go", to: "../README")
        tar.hardLink("ship-1a2b/COPY", to: "ship-1a2b/README")
        tar.file("ship-1a2b/empty")
    }

    @Test func theFolderAtTheTopIsGone() throws {
        let repacked = try Repacked(Gzip.pack(Self.good))
        #expect(
            try repacked.members() == [
                "README - 1700000000 hello", "bin/", "bin/run x 1700000000 #!", "bin/go -> ../README",
                "COPY = README", "empty - 1700000000 ",
            ])
        let archive = try #require(repacked.archive)
        #expect(archive.size == UInt64(repacked.bytes.count))
        #expect(archive.sha256 == Array(SHA256.hash(data: repacked.bytes)))
        #expect(archive.entries == 7)
    }

    @Test(arguments: [1, 7, 511, 512, 513, 100_000])
    func piecesOfAnySizeAreTheSame(_ piece: Int) throws {
        let packed = Gzip.pack(Self.good)
        #expect(try Repacked(packed, piece: piece).bytes == Repacked(packed).bytes)
    }

    /// The same commit from two forges is one archive.
    @Test func theNameOfTheFolderDoesNotMatter() throws {
        func archive(_ top: String) -> [UInt8] {
            TarBuilder.archive { tar in
                tar.directory("\(top)/")
                tar.file("\(top)/a", [1, 2, 3])
            }
        }
        let one = try Repacked(Gzip.pack(archive("ship-main-abc")))
        let two = try Repacked(Gzip.pack(archive("harbour-ship")))
        #expect(one.archive?.sha256 == two.archive?.sha256)
        #expect(one.archive != nil)
    }

    @Test func longNamesAndLinksStayWhole() throws {
        let deep = "d/" + (0..<30).map { "folder-\($0)" }.joined(separator: "/")
        let long = "d/" + String(repeating: "n", count: 200)
        let target = String(repeating: "t", count: 150)
        let input = TarBuilder.archive { tar in
            tar.metadata("x", TarBuilder.pax("path", Array(deep.utf8)))
            tar.file("short", [65])
            tar.metadata("L", Array(long.utf8) + [0])
            tar.file("short", [66])
            tar.metadata("x", TarBuilder.pax("linkpath", Array(target.utf8)))
            tar.symbolicLink("d/l", to: "short")
            tar.file("d/ä\u{1}b", [67])
            tar.file("d/" + String(repeating: "p", count: 90) + "/" + "q", [68])
        }
        let repacked = try Repacked(Gzip.pack(input))
        #expect(
            try repacked.members() == [
                "\(deep.dropFirst(2)) - 1700000000 A", "\(long.dropFirst(2)) - 1700000000 B", "l -> \(target)",
                "ä\u{1}b - 1700000000 C", String(repeating: "p", count: 90) + "/q - 1700000000 D",
            ])
    }

    @Test func whatTheRunnerWouldNotTakeIsNotWritten() throws {
        func problem(_ build: (inout TarBuilder) -> Void) throws -> TarProblem? {
            let input = TarBuilder.archive { tar in
                tar.directory("top/")
                tar.file("top/a", [1])
                build(&tar)
            }
            if case .archive(let error)? = try Repacked(Gzip.pack(input)).problem { return error.problem }
            return nil
        }
        #expect(try problem { $0.file("top/b", [2]) } == nil)
        #expect(try problem { $0.file("top/../b", [2]) } == .pathLeaves)
        #expect(try problem { $0.file("/top/b", [2]) } == .pathLeaves)
        #expect(try problem { $0.raw(TarBuilder.header(Array("top/b".utf8), type: "3")) } == .device)
        #expect(try problem { $0.raw(TarBuilder.header(Array("top/b".utf8), type: "6")) } == .device)
        #expect(try problem { $0.raw(TarBuilder.header(Array("top/b".utf8), type: "S")) } == .sparse)
        #expect(try problem { $0.symbolicLink("top/l", to: "/etc/passwd") } == .linkLeaves)
        #expect(try problem { $0.symbolicLink("top/d/l", to: "../a") } == nil)
        #expect(try problem { $0.symbolicLink("top/l", to: "a/../../b") } == .linkLeaves)
        #expect(try problem { $0.hardLink("top/l", to: "../b") } == .linkLeaves)
        #expect(try problem { $0.hardLink("top/l", to: "top/a") } == nil)
    }

    /// With the folder around it, it would stay inside.
    @Test func withoutTheFolderTheWayOutIsShorter() throws {
        let link = TarBuilder.archive { tar in
            tar.directory("top/")
            tar.symbolicLink("top/l", to: "../top/a")
        }
        #expect(try Repacked(Gzip.pack(link)).problem == .archive(TarError(.linkLeaves, entry: Array("top/l".utf8))))
        let other = TarBuilder.archive { tar in
            tar.file("top/a", [1])
            tar.hardLink("top/l", to: "other/a")
        }
        #expect(try Repacked(Gzip.pack(other)).problem == .archive(TarError(.linkLeaves, entry: Array("top/l".utf8))))
    }

    @Test func thereIsOneFolderAtTheTop() throws {
        func problem(_ build: (inout TarBuilder) -> Void) throws -> ArchiveProblem? {
            try Repacked(Gzip.pack(TarBuilder.archive(build))).problem
        }
        func noFolder(_ entry: String?) -> ArchiveProblem {
            .archive(TarError(.noTopFolder, entry: entry.map { Array($0.utf8) }))
        }
        #expect(try problem { $0.file("a", [1]) } == noFolder("a"))
        #expect(try problem { $0.symbolicLink("a", to: "b") } == noFolder("a"))
        #expect(
            try problem {
                $0.directory("one/")
                $0.directory("two/")
            } == noFolder("two/"))
        #expect(try problem { _ in } == noFolder(nil))
        #expect(try problem { $0.directory("one/") } == nil)
    }
}
