// leak-fixture: a small daemon that keeps a secret in one of the ways below, well or badly, with the types that the
// daemons keep theirs in. Tests/Security/test_leaks.py gives it a value of 32 bytes on standard input and looks for it
// in its memory, as test_canary.py does with the daemons; "kept" says that it may. It ends with its standard input.

import Masker
import Outbound
import Posix
import Secret

/// What an ordinary program does with bytes. Nobody ever asks for these again.
nonisolated(unsafe) var arrays: [[UInt8]] = []
nonisolated(unsafe) var texts: [String] = []
nonisolated(unsafe) var maskers: [Masker] = []
nonisolated(unsafe) var ways: [Outbound] = []

func copy(_ secret: borrowing Secret) -> [UInt8] { secret.withBytes { Array($0) } }

func masker(of secret: borrowing Secret) throws -> Masker {
    let masker = Masker()
    try masker.add { patterns in
        try secret.withBytes { (bytes) throws(Patterns.Refused) in try patterns.add(bytes) }
    }
    return masker
}

var secret = try Secret(capacity: 32)
while secret.count < 32 {
    try secret.fill { (room) throws(PosixError) in
        if case .bytes(let count) = try Posix.read(0, into: room) { count } else { 0 }
    }
}
let way = CommandLine.arguments.dropFirst().first ?? ""
switch way {
case "secret": break
case "wiped secret": secret.wipe()
case "array":
    arrays.append(copy(secret))
    secret.wipe()
case "freed array":
    arrays.append(copy(secret))
    secret.wipe()
    arrays = []
case "text":
    texts.append(String(decoding: copy(secret), as: UTF8.self))
    secret.wipe()
case "masks":
    maskers.append(try masker(of: secret))
    secret.wipe()
case "freed masks":
    // Used, so that bytes of it were held back and went out.
    _ = try masker(of: secret).mask(copy(secret))
    secret.wipe()
case "sent":
    ways.append(try send(secret, to: UInt16(CommandLine.arguments[2]) ?? 0))
    secret.wipe()
default: fatalError("no such way: \(way)")
}
try Posix.writeAll(1, Array("kept\n".utf8))
var byte: [UInt8] = [0]
while case .bytes = try Posix.read(0, into: &byte) {}
