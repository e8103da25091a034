// LinkBench: the wire against itself. `server PATH` answers, `client PATH COUNT` prints nanoseconds of each round trip,
// a line each; `codec COUNT` prints nanoseconds of one encode and decode of a small control message.

let arguments = CommandLine.arguments
switch (arguments.dropFirst().first, arguments.count) {
case ("server"?, 3): try server(arguments[2])
case ("client"?, 4): try client(arguments[2], Int(arguments[3]) ?? 10000)
case ("codec"?, 3): try codec(Int(arguments[2]) ?? 1_000_000)
default: print("usage: link-bench server PATH | client PATH COUNT | codec COUNT")
}
