import Files
import LogStore
import Posix
import Testing
import Wire

@Suite struct SourceStoreTests {
    // SHA-256 of "abc", from FIPS 180-2.
    private static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test func anArchiveIsNamedByItsBytes() throws {
        let directory = try TemporaryDirectory()
        let store = try SourceStore(state: directory.path)
        for _ in 0..<2 {
            let incoming = try store.begin(size: 3)
            try incoming.write([97])
            #expect(throws: StoreError.incomplete) { try incoming.finish() }
            try incoming.write([98, 99])
            #expect(directory.entries("sources").count <= 1)
            let source = try incoming.finish()
            #expect(source == Source(sha256: try #require(Bytes32(hex: Self.abc)), size: 3))
            let file = try store.open(source)
            #expect(try Posix.pread(file.raw, maximum: 10, at: 0) == [97, 98, 99])
            #expect(directory.entries("sources") == [Self.abc])
            #expect(throws: StoreError.notFound) { _ = try store.open(Source(sha256: source.sha256, size: 4)) }
        }
        let digest = try #require(Bytes32(hex: Self.abc))
        try store.remove(digest)
        try store.remove(digest)
        #expect(directory.entries("sources").isEmpty)
    }

    @Test func nothingIsLeftOfAHalfArchive() throws {
        let directory = try TemporaryDirectory()
        let store = try SourceStore(state: directory.path)
        do {
            let incoming = try store.begin(size: 2)
            try incoming.write([1])
            #expect(throws: StoreError.tooLarge) { try incoming.write([1, 2]) }
        }
        #expect(directory.entries("sources").isEmpty)
    }
}
