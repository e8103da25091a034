// Reads a source archive as it arrives, in pieces of any size, and hands its members to a TarSink.
// It takes ustar, pax and GNU long names, and nothing that a source tree has no use for: what it does not know it
// refuses, since a difference between two readers of one archive is where things hide. Used by
// the runner's SourceReceiver and by courierd's ArchiveSink.

/// What an archive may hold at most.
package struct TarLimits {
    /// Directories, files and links.
    package var entries = 250_000
    /// Bytes of one file.
    package var fileSize: UInt64 = 1 << 40
    /// Bytes of one extended header or long name.
    package var extendedHeader: UInt64 = 64 << 10

    package init() {}
}

/// The streaming reader. After a throw it reads nothing more.
package struct TarReader<Sink: TarSink> {
    private enum Position {
        /// Before a header block; the bytes of it that are here.
        case header([UInt8])
        /// In a file's data.
        case data(left: UInt64, padding: Int)
        /// In the data of an extended header or long name.
        case metadata(TarHeader, bytes: [UInt8], padding: Int)
        /// In the zeros that fill a member's last block.
        case padding(Int)
        /// Behind a block of zeros: nothing but zeros may follow.
        case end
    }

    package var sink: Sink
    /// Members so far.
    package private(set) var entries = 0
    private let limits: TarLimits
    private var position = Position.header([])
    private var extended: TarExtendedHeader?
    private var longName: [UInt8]?
    private var longLink: [UInt8]?
    /// The path of the entry at hand, for error messages.
    private var entry: [UInt8]?

    package init(into sink: Sink, limits: TarLimits = TarLimits()) {
        self.sink = sink
        self.limits = limits
    }

    /// Reads on.
    package mutating func consume(_ bytes: ArraySlice<UInt8>) throws(TarError) {
        var rest = bytes
        do {
            while !rest.isEmpty { try step(&rest) }
        } catch {
            throw TarError(error, entry: entry)
        }
    }

    /// The last byte has been consumed.
    /// - Throws: if the archive is not complete.
    package mutating func finish() throws(TarError) {
        switch position {
        case .end: return
        case .header(let bytes) where bytes.isEmpty: throw TarError(.noEndMarker)
        case .header, .data, .metadata, .padding: throw TarError(.cutShort, entry: entry)
        }
    }

    private mutating func step(_ rest: inout ArraySlice<UInt8>) throws(TarProblem) {
        switch position {
        case .header(var block):
            block.append(contentsOf: TarReader.cut(&rest, TarHeader.size - block.count))
            position = .header(block)
            if block.count == TarHeader.size { try takeHeader(block) }
        case .data(let left, let padding):
            let part = TarReader.cut(&rest, Int(min(left, UInt64(rest.count))))
            try sink.write(part)
            position = .data(left: left - UInt64(part.count), padding: padding)
            if left == UInt64(part.count) { try endFile(padding) }
        case .metadata(let header, var bytes, let padding):
            bytes.append(contentsOf: TarReader.cut(&rest, Int(header.size) - bytes.count))
            position = .metadata(header, bytes: bytes, padding: padding)
            if bytes.count == Int(header.size) { try endMetadata(header, bytes, padding) }
        case .padding(let left):
            let part = TarReader.cut(&rest, left)
            enterPadding(left - part.count)
        case .end:
            guard rest.allSatisfy({ $0 == 0 }) else { throw .dataAfterEnd }
            rest = []
        }
    }

    private static func cut(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> ArraySlice<UInt8> {
        let part = rest.prefix(count)
        rest = rest.dropFirst(part.count)
        return part
    }

    private mutating func enterPadding(_ left: Int) {
        position = left == 0 ? .header([]) : .padding(left)
    }

    private mutating func endFile(_ padding: Int) throws(TarProblem) {
        try sink.endFile()
        enterPadding(padding)
    }

    private mutating func endMetadata(_ header: TarHeader, _ bytes: [UInt8], _ padding: Int) throws(TarProblem) {
        switch header.type {
        case UInt8(ascii: "x"):
            guard extended == nil else { throw .badExtendedHeader }
            extended = try TarExtendedHeader(bytes, isGlobal: false)
        case UInt8(ascii: "g"):
            _ = try TarExtendedHeader(bytes, isGlobal: true)
        case UInt8(ascii: "L"):
            guard longName == nil else { throw .badExtendedHeader }
            longName = Array(bytes.prefix { $0 != 0 })
        default:
            guard longLink == nil else { throw .badExtendedHeader }
            longLink = Array(bytes.prefix { $0 != 0 })
        }
        enterPadding(padding)
    }

    private mutating func takeHeader(_ block: [UInt8]) throws(TarProblem) {
        guard block.contains(where: { $0 != 0 }) else {
            guard extended == nil, longName == nil, longLink == nil else { throw .cutShort }
            entry = nil
            position = .end
            return
        }
        entry = nil
        let header = try TarHeader(block)
        entry = longName ?? extended?.path ?? header.name
        switch header.type {
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            guard header.size <= limits.extendedHeader else { throw .badExtendedHeader }
            let padding = TarReader.padding(header.size)
            position = .metadata(header, bytes: [], padding: padding)
            if header.size == 0 { try endMetadata(header, [], padding) }
        default:
            try takeMember(header)
        }
    }

    private static func padding(_ size: UInt64) -> Int {
        Int((512 - size % 512) % 512)
    }

    private mutating func takeMember(_ header: TarHeader) throws(TarProblem) {
        let name = longName ?? extended?.path ?? header.name
        let link = longLink ?? extended?.linkPath ?? header.linkName
        let size = extended?.size ?? header.size
        let modified = extended?.modified ?? header.modified
        (extended, longName, longLink) = (nil, nil, nil)
        entries += 1
        guard entries <= limits.entries else { throw .tooManyEntries(limit: limits.entries) }
        guard !name.isEmpty else { throw .badPath }
        let path = try TarPath(name)
        let isDirectory = header.type == UInt8(ascii: "5")
        guard isDirectory || (!path.components.isEmpty && name.last != UInt8(ascii: "/")) else { throw .badPath }
        switch header.type {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
            guard size <= limits.fileSize else { throw .fileTooLarge(limit: limits.fileSize) }
            let executable = header.mode & 0o111 != 0
            try sink.beginFile(TarFile(path: path, size: size, isExecutable: executable, modified: modified))
            position = .data(left: size, padding: TarReader.padding(size))
            if size == 0 { try endFile(0) }
            return
        case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "5"):
            guard size == 0 else { throw .dataOnLink }
            try takeWithoutData(header.type, path, link)
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"): throw .device
        case UInt8(ascii: "S"): throw .sparse
        default: throw .unsupportedType(header.type)
        }
        position = .header([])
    }

    private mutating func takeWithoutData(_ type: UInt8, _ path: TarPath, _ link: [UInt8]) throws(TarProblem) {
        switch type {
        case UInt8(ascii: "5"):
            try sink.directory(path)
        case UInt8(ascii: "2"):
            guard path.admitsTarget(link) else { throw .linkLeaves }
            try sink.symbolicLink(path, target: link)
        default:
            let existing: TarPath
            do { existing = try TarPath(link) } catch { throw .linkLeaves }
            guard !existing.components.isEmpty else { throw .linkToNonFile }
            try sink.hardLink(path, to: existing)
        }
    }
}
