// What holds a zip archive together: its end, its directory, the order of its entries, wide numbers; and its bounds.

import SourceArchive
import Tar
import Testing

@Suite struct ZipFormTests {
    typealias Entry = ZipBuilder.Entry

    static let good = ZipBuilder([Entry("a", "first", isPacked: true), Entry("b", "second"), Entry("c", "third")])

    static func problem(_ change: (inout ZipBuilder) -> Void) throws -> ArchiveProblem? {
        var zip = good
        change(&zip)
        return try Overlaid(nil, [zip.bytes]).problem
    }

    static func limits(size: UInt64 = 1 << 30, ratio: UInt64 = 200, grace: UInt64 = 1 << 20) -> ArchiveLimits {
        BombTests.limits(size: size, ratio: ratio, grace: grace)
    }

    @Test func entriesDoNotShareTheirBytes() throws {
        let second = UInt32(30 + 1 + Self.good.entries[0].packed.count)
        let third = second + 30 + 1 + 6
        #expect(try Self.problem { $0.entries[1].place = second } == nil)
        #expect(try Self.problem { $0.entries[1].behind = [1, 2, 3] } == nil)
        func refused(_ entry: String?) -> ArchiveProblem { .zip(.outOfOrder, entry: entry) }
        // One file for two names.
        #expect(try Self.problem { $0.entries[2].place = second } == refused("c"))
        #expect(try Self.problem { $0.entries[1].place = 0 } == refused("b"))
        // In another order.
        #expect(
            try Self.problem {
                $0.entries[0].place = second
                $0.entries[1].place = 0
            } == refused("b"))
        // The data of one reach over the header of the next, or into the directory, or behind everything.
        #expect(try Self.problem { ($0.entries[1].compressed, $0.entries[1].size) = (7, 7) } == refused("c"))
        #expect(try Self.problem { ($0.entries[2].compressed, $0.entries[2].size) = (6, 6) } == refused("c"))
        #expect(try Self.problem { $0.entries[2].place = third + 1 } == refused("c"))
        #expect(try Self.problem { $0.entries[2].place = 1 << 31 } == refused("c"))
        #expect(try Self.problem { ($0.entries[1].compressed, $0.entries[1].size) = (1 << 31, 1 << 31) } != nil)
    }

    /// As the zip bombs of 2019 do: the extra field of one covers the headers of the others, up to their common data.
    @Test func extraFieldsCoverNobody() throws {
        let quoted = ZipBuilder([Entry("b", "data")])
        let covered = Array(quoted.bytes[..<31])
        var first = Entry("a", "data")
        first.ownExtra = [0xFE, 0xCA, UInt8(covered.count), 0] + covered
        var zip = ZipBuilder([first])
        #expect(try Overlaid(nil, [zip.bytes]).members() == ["a - 1700000000 data"])
        var second = Entry("b", "data")
        second.place = UInt32(30 + 1 + 4)
        // Only its record in the directory is of use.
        zip.entries.append(second)
        #expect(try Overlaid(nil, [zip.bytes]).problem == .zip(.outOfOrder, entry: "a"))
    }

    @Test func theEndIsAtTheEnd() throws {
        let bytes = Self.good.bytes
        #expect(try Overlaid(nil, [bytes]).problem == nil)
        #expect(try Self.problem { $0.comment = Array("by hand".utf8) } == nil)
        #expect(try Self.problem { $0.comment = [UInt8](repeating: 65, count: 0xFFFF) } == nil)
        for length in 0..<bytes.count {
            #expect(try Overlaid(nil, [Array(bytes[..<length])]).problem == .zip(.noEnd, entry: nil), "\(length)")
        }
        #expect(try Overlaid(nil, [bytes + [0]]).problem == .zip(.noEnd, entry: nil))
        let broken = ArchiveProblem.zip(.badRecord, entry: nil)
        #expect(try Overlaid(nil, [[0] + bytes]).problem == broken)
        #expect(try Self.problem { $0.between = [0] } == broken)
        #expect(try Self.problem { $0.count = 2 } == broken)
        #expect(try Self.problem { $0.count = 4 } == broken)
        #expect(try Self.problem { $0.start = 0xFFFF_FFFE } == broken)
        #expect(try Self.problem { $0.size = 0xFFFF_FFFE } == broken)
        #expect(try Self.problem { $0.size = .max } == broken)
        #expect(try Self.problem { $0.disks = 1 } == .zip(.severalParts, entry: nil))
        #expect(try Self.problem { $0.entries[1].disk = 1 } == .zip(.severalParts, entry: "b"))
        #expect(try Overlaid(nil, [ZipBuilder([]).bytes]).archive?.entries == 0)
    }

    /// The wide form of `good`, with one entry in it that is wide, too.
    private static func wide(
        count: UInt64 = 3, start: UInt64? = nil, disk: UInt64 = 0, length: UInt64 = 44, shift: UInt64 = 0,
        short: (inout ZipBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        var zip = good
        (zip.entries[1].size, zip.entries[1].compressed) = (.max, .max)
        zip.entries[1].extra = ZipBuilder.little([(1, 2), (16, 2), (6, 8), (6, 8)])
        (zip.entries[1].ownSize, zip.entries[1].ownCompressed) = (6, 6)
        let plain = zip.bytes
        let end = plain.count - 22
        let where_ = plain[(end + 16)...].prefix(4).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let record = ZipBuilder.little([
            (0x0606_4B50, 4), (length, 8), (45, 2), (45, 2), (disk, 4), (0, 4), (count, 8), (count, 8),
            (UInt64(end) - where_, 8), (start ?? where_, 8),
        ])
        let locator = ZipBuilder.little([(0x0706_4B50, 4), (0, 4), (UInt64(end) + shift, 8), (1, 4)])
        (zip.count, zip.size, zip.start) = (.max, .max, .max)
        short(&zip)
        return Array(plain[..<end]) + record + locator + zip.bytes.suffix(22)
    }

    @Test func wideNumbersAreRead() throws {
        func problem(_ bytes: [UInt8]) throws -> ArchiveProblem? { try Overlaid(nil, [bytes]).problem }
        #expect(try Overlaid(nil, [Self.wide()]).members() == Overlaid(nil, [Self.good.bytes]).members())
        #expect(try problem(Self.wide { $0.count = 3 }) == nil)
        let broken = ArchiveProblem.zip(.badRecord, entry: nil)
        #expect(try problem(Self.wide { $0.count = 2 }) == broken)
        #expect(try problem(Self.wide { $0.start = 1 }) == broken)
        #expect(try problem(Self.wide { $0.size = 1 }) == broken)
        #expect(try problem(Self.wide(count: 2)) == broken)
        #expect(try problem(Self.wide(start: .max)) == broken)
        #expect(try problem(Self.wide(start: 0)) == broken)
        #expect(try problem(Self.wide(length: 45)) == broken)
        #expect(try problem(Self.wide(shift: 1)) == broken)
        #expect(try problem(Self.wide(shift: .max - 1000)) == broken)
        #expect(try problem(Self.wide(disk: 1)) == .zip(.severalParts, entry: nil))
        let many = ArchiveProblem.archive(TarError(.tooManyEntries(limit: 250_000)))
        #expect(try problem(Self.wide(count: .max)) == many)
    }

    @Test func growthIsBounded() throws {
        let zeros = ZipBuilder([Entry(Array("a".utf8), [UInt8](repeating: 0, count: 8 << 20), isPacked: true)]).bytes
        #expect(zeros.count < 10_000)
        let bomb = try Overlaid(nil, [zeros], limits: Self.limits())
        #expect(bomb.problem == .bomb)
        // Nothing of it was unpacked before.
        #expect(bomb.bytes.isEmpty)
        #expect(try Overlaid(nil, [zeros], limits: Self.limits(ratio: 2000)).problem == nil)
        #expect(try Overlaid(nil, [zeros], limits: Self.limits(grace: 16 << 20)).problem == nil)
        let size: UInt64 = 8 << 20
        let small = Self.limits(size: size, grace: 16 << 20)
        #expect(try Overlaid(nil, [zeros], limits: small).problem == .tooLarge(limit: size))
        let enough = Self.limits(size: size + 1536, grace: 16 << 20)
        #expect(try Overlaid(nil, [zeros], limits: enough).problem == nil)
        // Who lies about the size is no better off.
        var liar = ZipBuilder([Entry(Array("a".utf8), [UInt8](repeating: 0, count: 8 << 20), isPacked: true)])
        liar.entries[0].size = 1000
        let caught = try Overlaid(nil, [liar.bytes], limits: Self.limits())
        #expect(caught.problem == .zip(.wrongSize, entry: "a"))
        #expect(caught.bytes.count < 1 << 20)
    }

    @Test func entriesAndNamesAreBounded() throws {
        let zip = ZipBuilder((0..<100).map { Entry("d/\($0 + 100)") }).bytes
        var limits = Self.limits()
        // The directory that nobody names is one, too.
        limits.entries = 101
        limits.names = 1 + 100 * 5
        #expect(try Overlaid(nil, [zip], limits: limits).problem == nil)
        limits.entries = 100
        guard case .archive(let error)? = try Overlaid(nil, [zip], limits: limits).problem else {
            Issue.record("not refused")
            return
        }
        #expect(error.problem == .tooManyEntries(limit: 100))
        limits.entries = 99
        #expect(
            try Overlaid(nil, [zip], limits: limits).problem == .archive(TarError(.tooManyEntries(limit: 99))))
        limits.entries = 101
        limits.names = 500
        #expect(
            try Overlaid(nil, [zip], limits: limits).problem
                == .archive(TarError(.longPaths(limit: 500), entry: Array("d/199".utf8))))
    }
}
