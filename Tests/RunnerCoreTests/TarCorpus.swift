// The archives that a runner must refuse, and by which name, built here so that each can be read.

import RunnerCore
import Tar
import TarFixtures

/// One archive and what is wrong with it.
struct TarCase: Sendable, CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    let problem: TarProblem

    init(_ description: String, _ problem: TarProblem, _ build: (inout TarBuilder) -> Void) {
        self.description = description
        self.problem = problem
        bytes = TarBuilder.archive(build)
    }

    init(_ description: String, _ problem: TarProblem, raw: [UInt8]) {
        self.description = description
        self.problem = problem
        bytes = raw
    }
}

/// How a path gets into an archive.
enum PathCarrier: String, CaseIterable {
    case name, prefix, pax, gnu

    /// An entry of this type whose path is `path`.
    func entry(_ tar: inout TarBuilder, _ path: String, type: Character, link: [UInt8]) {
        let bytes = Array(path.utf8)
        switch self {
        case .name: tar.raw(TarBuilder.header(bytes, type: type, link: link))
        case .prefix:
            // "/a/x" and "../x" are cut at a slash as tar does: prefix, slash, name.
            guard let slash = bytes.lastIndex(of: 47), slash > 0 else {
                return tar.raw(TarBuilder.header(bytes, type: type, link: link))
            }
            let (prefix, name) = (Array(bytes[..<slash]), Array(bytes[(slash + 1)...]))
            tar.raw(TarBuilder.header(name, type: type, link: link, prefix: prefix))
        case .pax:
            tar.metadata("x", TarBuilder.pax("path", bytes))
            tar.raw(TarBuilder.header(Array("harmless".utf8), type: type, link: link))
        case .gnu:
            tar.metadata("L", bytes + [0])
            tar.raw(TarBuilder.header(Array("harmless".utf8), type: type, link: link, magic: "ustar  \u{0}"))
        }
    }
}

enum TarCorpus {
    static let all = paths + targets + types + numbers + extended + ends

    /// Paths out of the directory, in every disguise.
    static var paths: [TarCase] {
        let leaving = [
            "/etc/passwd", "../x", "a/../../x", "a/..", "..", "a/../b", "//x", "./../x", "a/./../..", "a/b/../c",
        ]
        var cases: [TarCase] = []
        for path in leaving {
            for carrier in PathCarrier.allCases {
                for type in ["0", "1", "2", "5"] as [Character] {
                    let link = type == "1" || type == "2" ? Array("inside".utf8) : []
                    cases.append(
                        TarCase("\(carrier) \(path) of type \(type)", .pathLeaves) {
                            carrier.entry(&$0, path, type: type, link: link)
                        })
                }
            }
        }
        let long = String(repeating: "n", count: 256)
        let deep = String(repeating: "d/", count: 201) + "x"
        let endless = String(repeating: "p/", count: 2048)
        for path in [long, deep, endless] {
            for carrier in [PathCarrier.pax, .gnu] {
                cases.append(
                    TarCase("\(carrier) path of \(path.count) bytes", .badPath) {
                        carrier.entry(&$0, path, type: "0", link: [])
                    })
            }
        }
        cases.append(TarCase("empty path", .badPath) { $0.file("") })
        cases.append(TarCase("file of a directory's name", .badPath) { $0.file("a/") })
        cases.append(TarCase("file that is the directory itself", .badPath) { $0.file(".") })
        cases.append(
            TarCase("NUL in a pax path", .badPath) {
                $0.metadata("x", TarBuilder.pax("path", Array("a".utf8) + [0] + Array("b".utf8)))
                $0.file("harmless")
            })
        return cases
    }

    /// Links out of the directory.
    static var targets: [TarCase] {
        var cases: [TarCase] = []
        for target in ["/etc", "..", "../..", "a/..", "a/../..", "../a/../..", "./..", "", "a/b/../../.."] {
            cases.append(TarCase("link -> \(target)", .linkLeaves) { $0.symbolicLink("link", to: target) })
            cases.append(
                TarCase("pax link -> \(target)", .linkLeaves) {
                    $0.metadata("x", TarBuilder.pax("linkpath", Array(target.utf8)))
                    $0.symbolicLink("link", to: "harmless")
                })
        }
        cases.append(TarCase("a/link -> ../..", .linkLeaves) { $0.symbolicLink("a/link", to: "../..") })
        cases.append(TarCase("a/b/link -> ../../..", .linkLeaves) { $0.symbolicLink("a/b/link", to: "../../..") })
        cases.append(
            TarCase("GNU long link", .linkLeaves) {
                $0.metadata("K", Array("/etc".utf8) + [0])
                $0.raw(TarBuilder.header(Array("link".utf8), type: "2", link: Array("x".utf8), magic: "ustar  \u{0}"))
            })
        for target in ["/etc/passwd", "../x", "a/../../x"] {
            cases.append(TarCase("hard link to \(target)", .linkLeaves) { $0.hardLink("link", to: target) })
        }
        cases.append(TarCase("hard link to the directory", .linkToNonFile) { $0.hardLink("link", to: "./") })
        return cases
    }

    static var types: [TarCase] {
        var cases: [TarCase] = []
        for type in ["3", "4", "6"] as [Character] {
            cases.append(TarCase("device \(type)", .device) { $0.raw(TarBuilder.header([120], type: type)) })
        }
        cases.append(TarCase("GNU sparse", .sparse) { $0.raw(TarBuilder.header([120], type: "S")) })
        cases.append(
            TarCase("pax sparse", .sparse) {
                $0.metadata("x", TarBuilder.pax("GNU.sparse.major", Array("1".utf8)))
                $0.file("x")
            })
        for type in ["D", "M", "V", "N", "A", "8", "X"] as [Character] {
            let number = type.asciiValue ?? 0
            cases.append(
                TarCase("type \(type)", .unsupportedType(number)) {
                    $0.raw(TarBuilder.header([120], type: type))
                })
        }
        for type in ["1", "2", "5"] as [Character] {
            cases.append(
                TarCase("type \(type) with data", .dataOnLink) {
                    $0.raw(TarBuilder.header([120], type: type, size: 512, link: [121]))
                })
        }
        return cases
    }

    static var numbers: [TarCase] {
        let huge: [UInt8] = [0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]  // 2^63
        let negative = [UInt8](repeating: 0xff, count: 12)
        return [
            TarCase("size 2^63", .badNumber("size")) { $0.raw(TarBuilder.header([120], sizeField: huge)) },
            TarCase("size -1", .badNumber("size")) { $0.raw(TarBuilder.header([120], sizeField: negative)) },
            TarCase("size in decimal", .badNumber("size")) {
                $0.raw(TarBuilder.header([120], sizeField: Array("00000000099".utf8)))
            },
            TarCase("size with rubbish behind it", .badNumber("size")) {
                $0.raw(TarBuilder.header([120], sizeField: Array("0000 000017".utf8)))
            },
            TarCase("size over the limit", .fileTooLarge(limit: 1 << 20)) {
                $0.raw(TarBuilder.header([120], size: (1 << 20) + 1))
            },
            TarCase("size over the limit in base 256", .fileTooLarge(limit: 1 << 20)) {
                $0.raw(TarBuilder.header([120], sizeField: [0x80] + [UInt8](repeating: 0, count: 7) + [255, 0, 0, 0]))
            },
            TarCase("wrong checksum", .badChecksum) { $0.raw(TarBuilder.header([120], checksum: "000001\u{0} ")) },
            TarCase("no checksum", .badChecksum) { $0.raw(TarBuilder.header([120], checksum: "        ")) },
            TarCase("version 7, without a magic", .notUstar) { $0.raw(TarBuilder.header([120], magic: "")) },
            TarCase("too many entries", .tooManyEntries(limit: 50)) { for _ in 0...50 { $0.file("x") } },
            TarCase("a gzip file", .badChecksum, raw: [0x1f, 0x8b] + [UInt8](repeating: 8, count: 600)),
        ]
    }

    static var extended: [TarCase] {
        let one = Array("1".utf8)
        func bad(_ name: String, _ problem: TarProblem, type: Character = "x", _ data: [UInt8]) -> TarCase {
            TarCase(name, problem) {
                $0.metadata(type, data)
                $0.file("x")
            }
        }
        var cases = ["path", "linkpath", "size", "mtime", "comment", "vendor.key"].map { key in
            bad("duplicate \(key)", .duplicateKey(key), TarBuilder.pax(key, one) + TarBuilder.pax(key, one))
        }
        for key in ["path", "linkpath", "size"] {
            cases.append(bad("global \(key)", .globalKey(key), type: "g", TarBuilder.pax(key, one)))
        }
        for size in ["", "-1", "1x", "99999999999999999999", "9223372036854775808"] {
            cases.append(bad("pax size '\(size)'", .badNumber("size"), TarBuilder.pax("size", Array(size.utf8))))
        }
        for text in [
            "x", "5 a=b", "100 a=b\n", "0 a=b\n", "4 a=b\n", "6 =b\n\n", "3 \n", "6 a b\n\n", "99999999 a=b\n",
        ] {
            cases.append(bad("record '\(text.dropLast())'", .badExtendedHeader, Array(text.utf8)))
        }
        cases.append(bad("key that is not UTF-8", .badExtendedHeader, [55, 32, 255, 254, 61, 98, 10]))
        cases.append(
            TarCase("extended header over the limit", .badExtendedHeader) {
                $0.raw(TarBuilder.header([120], type: "x", size: (64 << 10) + 1))
            })
        cases.append(
            TarCase("two extended headers", .badExtendedHeader) {
                $0.metadata("x", TarBuilder.pax("path", one))
                $0.metadata("x", TarBuilder.pax("path", one))
                $0.file("x")
            })
        cases.append(
            TarCase("two long names", .badExtendedHeader) {
                $0.metadata("L", one)
                $0.metadata("L", one)
                $0.file("x")
            })
        return cases
    }

    static var ends: [TarCase] {
        let file = TarBuilder.archive { $0.file("x", [1, 2, 3]) }
        return [
            TarCase("nothing", .noEndMarker, raw: []),
            TarCase("no end marker", .noEndMarker, raw: Array(file.prefix(1024))),
            TarCase("cut in a header", .cutShort, raw: Array(file.prefix(300))),
            TarCase("cut in the data", .cutShort, raw: Array(file.prefix(514))),
            TarCase("cut in the padding", .cutShort, raw: Array(file.prefix(700))),
            TarCase("an entry behind the end", .dataAfterEnd, raw: file + file),
            TarCase("an end behind an extended header", .cutShort) {
                $0.metadata("x", TarBuilder.pax("path", Array("x".utf8)))
            },
        ]
    }
}
