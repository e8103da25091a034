// NewsCursor: what is known of a repository, as bytes that somebody else keeps until the next question: where each
// branch and tag was, up to when changes were looked at, and the forge's own marks of its lists.

import ForgeModel

package struct NewsCursor: Equatable, Sendable {
    /// The lists that are asked for, in this order.
    package enum List: UInt8, CaseIterable, Sendable {
        case branches = 1
        case tags = 2
        case changes = 3
    }

    /// In bytes, as they are kept. Some 700 branches and tags.
    package static let most = 40_000
    private static let version: UInt8 = 1

    var references: [Reference: Commit] = [:]
    /// Milliseconds since 1970: the newest change that was told.
    var newest: UInt64 = 0
    /// Which changes of that very moment were told: two can have it.
    var told: Set<UInt64> = []
    /// What stands for a list that has not changed (ETag); of those that fit on one page.
    var marks: [List: String] = [:]

    package init() {}

    private enum Item: UInt8 {
        case branch = 1
        case tag = 2
        case newest = 3
        case told = 4
        case mark = 5
    }

    /// Nil for what is none of ours.
    package init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard rest.popFirst() == Self.version else { return nil }
        while let byte = rest.popFirst() {
            guard let item = Item(rawValue: byte), let content = Self.content(&rest) else { return nil }
            switch item {
            case .branch, .tag:
                guard let length = content.first,
                    let name = String(validating: content.dropFirst(1 + Int(length)), as: UTF8.self),
                    !name.isEmpty, content.count > 1 + Int(length),
                    let commit = Commit(Self.hex(content.dropFirst().prefix(Int(length))))
                else { return nil }
                references[item == .branch ? .branch(name) : .tag(name)] = commit
            case .newest:
                guard let number = Self.number(content) else { return nil }
                newest = number
            case .told:
                guard let number = Self.number(content) else { return nil }
                told.insert(number)
            case .mark:
                guard let first = content.first, let list = List(rawValue: first),
                    let mark = String(validating: content.dropFirst(), as: UTF8.self)
                else { return nil }
                marks[list] = mark
            }
        }
    }

    /// In one order: the same knowledge is the same bytes.
    package var bytes: [UInt8] {
        var bytes = [Self.version]
        func add(_ item: Item, _ content: [UInt8]) {
            bytes += [item.rawValue, UInt8(content.count >> 8 & 0xFF), UInt8(content.count & 0xFF)] + content
        }
        let named = references.map { reference, commit -> (isTag: Bool, name: [UInt8], commit: [UInt8]) in
            switch reference {
            case .branch(let name): (false, Array(name.utf8), Self.raw(commit))
            case .tag(let name): (true, Array(name.utf8), Self.raw(commit))
            }
        }
        for one in named.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            add(one.isTag ? .tag : .branch, [UInt8(one.commit.count)] + one.commit + one.name)
        }
        add(.newest, Self.raw(newest))
        for number in told.sorted() { add(.told, Self.raw(number)) }
        for list in List.allCases { if let mark = marks[list] { add(.mark, [list.rawValue] + mark.utf8) } }
        return bytes
    }

    private static func content(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
        let content = rest.prefix(Int(high) << 8 | Int(low))
        guard content.count == Int(high) << 8 | Int(low) else { return nil }
        rest = rest.dropFirst(content.count)
        return content
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        bytes.count == 8 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }

    private static func raw(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }

    private static func raw(_ commit: Commit) -> [UInt8] {
        let digits = Array(commit.hex.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        return (0..<digits.count / 2).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
