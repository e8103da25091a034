// A source with artifacts laid over it.

import Crypto
import Posix
import SourceArchive
import Tar
import TarFixtures
import Testing

@Suite struct OverlayTests {
    typealias Entry = ZipBuilder.Entry

    static func zip(_ entries: Entry...) -> [UInt8] { ZipBuilder(entries).bytes }

    /// As ArchiveSink makes it.
    static func source(_ build: (inout TarBuilder) -> Void) -> [UInt8] { TarBuilder.archive(build) }

    @Test func laterLiesOverEarlier() throws {
        let source = Self.source { tar in
            tar.file("a", [65])
            tar.directory("d/")
            tar.file("d/b", [66])
            tar.file("d/c", [67], mode: "0000755")
            tar.symbolicLink("l", to: "a")
        }
        let overlaid = try Overlaid(
            source,
            [
                Self.zip(Entry("d/b", "one"), Entry("d/new", "one"), Entry("l", "a file now")),
                Self.zip(Entry("d/"), Entry("d/new", "two", isPacked: true), Entry("a", "d/b", mode: 0o120777)),
            ])
        #expect(
            try overlaid.members() == [
                "a -> d/b", "d/", "d/b - 1700000000 one", "d/c x 1700000000 C", "l - 1700000000 a file now",
                "d/new - 1700000000 two",
            ])
        let archive = try #require(overlaid.archive)
        #expect(archive.entries == 6)
        #expect(archive.size == UInt64(overlaid.bytes.count))
        #expect(archive.sha256 == Array(SHA256.hash(data: overlaid.bytes)))
    }

    @Test func theOrderOfTheArchivesCounts() throws {
        let (one, two) = (Self.zip(Entry("a", "one")), Self.zip(Entry("a", "two")))
        #expect(try Overlaid(nil, [one, two]).members() == ["a - 1700000000 two"])
        #expect(try Overlaid(nil, [two, one]).members() == ["a - 1700000000 one"])
        // Within one as well, as when it is unpacked.
        #expect(try Overlaid(nil, [Self.zip(Entry("a", "1"), Entry("a", "2"))]).members() == ["a - 1700000000 2"])
        let twice = Self.source { tar in
            tar.file("a", [65])
            tar.file("a", [66])
        }
        #expect(try Overlaid(twice, []).members() == ["a - 1700000000 B"])
    }

    @Test func nothingIsAnEmptyArchive() throws {
        let nothing = try Overlaid(nil, [])
        #expect(nothing.archive?.entries == 0)
        #expect(try nothing.members() == [])
        #expect(nothing.bytes == [UInt8](repeating: 0, count: 1024))
        #expect(try Overlaid(Self.source { _ in }, [ZipBuilder([]).bytes]).bytes == nothing.bytes)
    }

    /// What ArchiveSink has made stays as it is.
    @Test func aloneTheSourceIsTheSame() throws {
        let source = try Repacked(Gzip.pack(ArchiveTests.good)).bytes
        #expect(try Overlaid(source, []).bytes == source)
        #expect(try Overlaid(source, [Self.zip(Entry("more", "1"))]).bytes != source)
    }

    @Test func filesAndDirectoriesDoNotTakeEachOthersPlace() throws {
        func problem(_ source: String, _ zip: String) throws -> ArchiveProblem? {
            let tar = Self.source { $0.file(source, [1]) }
            let result = try Overlaid(tar, [Self.zip(Entry(zip))]).problem
            // Between two zip archives it is the same.
            #expect(try Overlaid(nil, [Self.zip(Entry(source)), Self.zip(Entry(zip))]).problem == result)
            return result
        }
        #expect(try problem("d/x", "d/y") == nil)
        #expect(try problem("d/x", "d/") == nil)
        #expect(try problem("d/x", "d") == ZipReaderTests.tar(.directoryInTheWay, "d"))
        #expect(try problem("d", "d/x") == ZipReaderTests.tar(.notADirectory, "d/x"))
        #expect(try problem("d", "d/") == ZipReaderTests.tar(.notADirectory, "d"))
    }

    @Test func noWayLeadsThroughALink() throws {
        let source = Self.source { tar in
            tar.directory("d/")
            tar.symbolicLink("l", to: "d")
        }
        func problem(_ entries: Entry...) throws -> ArchiveProblem? {
            try Overlaid(source, [ZipBuilder(entries).bytes]).problem
        }
        #expect(try problem(Entry("d/x")) == nil)
        #expect(try problem(Entry("l/x")) == ZipReaderTests.tar(.pathThroughLink, "l/x"))
        #expect(try problem(Entry("l/")) == ZipReaderTests.tar(.pathThroughLink, "l"))
        let link = Entry("m", "d", mode: 0o120777)
        #expect(try problem(link) == nil)
        #expect(try problem(link, Entry("m/x")) == ZipReaderTests.tar(.pathThroughLink, "m/x"))
    }

    @Test func hardLinksOutliveWhatTheyLinkTo() throws {
        let source = Self.source { tar in
            tar.file("a", Array("old".utf8), mode: "0000755")
            tar.hardLink("b", to: "a")
            tar.hardLink("c", to: "b")
            tar.file("d", [68])
        }
        #expect(try Overlaid(source, []).members().prefix(3) == ["a x 1700000000 old", "b = a", "c = a"])
        let overlaid = try Overlaid(source, [Self.zip(Entry("a", "new"))])
        #expect(
            try overlaid.members() == ["a - 1700000000 new", "b x 1700000000 old", "c = b", "d - 1700000000 D"])
        let none = Self.source { $0.hardLink("b", to: "a") }
        #expect(try Overlaid(none, []).problem == ZipReaderTests.tar(.linkTargetMissing, "b"))
    }

    @Test func theSourceIsLookedAtAsWell() throws {
        func problem(_ build: (inout TarBuilder) -> Void) throws -> ArchiveProblem? {
            try Overlaid(Self.source(build), []).problem
        }
        #expect(try problem { $0.file("a/b", [1]) } == nil)
        #expect(try problem { $0.file("../b", [1]) } == ZipReaderTests.tar(.pathLeaves, "../b"))
        #expect(try problem { $0.symbolicLink("l", to: "../b") } == ZipReaderTests.tar(.linkLeaves, "l"))
        #expect(try Overlaid(Self.source { $0.file("a") }.dropLast(1024), []).archive == nil)
    }

    @Test func theSizeIsBounded() throws {
        let source = Self.source { $0.file("a", [UInt8](repeating: 1, count: 2048)) }
        let zip = Self.zip(Entry("b", String(repeating: "x", count: 2048)))
        let size = UInt64(try Overlaid(source, [zip]).bytes.count)
        #expect(try Overlaid(source, [zip], limits: ArchiveLimits(size: size)).problem == nil)
        let less = ArchiveLimits(size: size - 1)
        #expect(try Overlaid(source, [zip], limits: less).problem == .tooLarge(limit: size - 1))
        #expect(try Overlaid(source, [], limits: ArchiveLimits(size: 2048)).problem == .tooLarge(limit: 2048))
    }

    @Test func nothingTakesLong() throws {
        var state: UInt64 = 1
        let noise = (0..<(4 << 20)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(state >> 56)
        }
        let source = Self.source { $0.file("a", noise) }
        let names = (0..<3000).map { Entry("many/\($0)", "x") }
        let zeros = Entry(Array("zeros".utf8), [UInt8](repeating: 0, count: 16 << 20), isPacked: true)
        let zips = [ZipBuilder(names).bytes, Self.zip(zeros, Entry(Array("b".utf8), noise, isPacked: true))]
        let overlaid = try Overlaid(source, zips)
        #expect(overlaid.problem == nil)
        // 4 MiB to look through, 24 to write, 3,000 names to read and to write.
        #expect(overlaid.steps > 16 + 96 + 6 + 11)
        #expect(overlaid.longest <= 512 << 10)
    }

    @Test func whatCannotBeReadOrWrittenIsSaid() throws {
        func problem(_ overlay: SourceOverlay) -> ArchiveProblem? {
            do throws(ArchiveProblem) {
                while try overlay.advance() == nil {}
                return nil
            } catch {
                return error
            }
        }
        let limits = ArchiveLimits(size: 1 << 20)
        let badFile = PosixError.system(call: "write", errno: 9)
        #expect(problem(SourceOverlay(source: nil, zips: [], into: -1, limits: limits)) == .system(badFile))
        let reading = PosixError.system(call: "pread", errno: 9)
        #expect(problem(SourceOverlay(source: -1, zips: [], into: -1, limits: limits)) == .system(reading))
        let asking = PosixError.system(call: "fstat", errno: 9)
        #expect(problem(SourceOverlay(source: nil, zips: [-1], into: -1, limits: limits)) == .system(asking))
    }

    @Test func whoAsksSaysWhatItWas() {
        #expect(
            ArchiveProblem.zip(.encrypted, entry: "a").sentence("artifacts of job 5")
                == "artifacts of job 5: entry 'a': it is encrypted")
        #expect(
            ZipReaderTests.tar(.device, "\u{7}").sentence("artifacts")
                == "artifacts: entry '?': devices and FIFOs are not allowed")
        #expect(ArchiveProblem.cutShort.description == "source archive: it ends in the middle")
    }
}
