// MaskBench: how fast relayd's masker is. `write DIR MEBIBYTES` makes what others are measured with: DIR/text, a log;
// DIR/secrets, a hundred values that are in it now and then; DIR/patterns, all forms of them that the masker looks for,
// a line each. `speed DIR COUNT` masks DIR/text with the first COUNT of the secrets, once, and prints three lines:
// GB/s, milliseconds to make the tables, bytes that came out.

let arguments = CommandLine.arguments
switch (arguments.dropFirst().first, arguments.count) {
case ("write"?, 4): try writeFiles(arguments[2], Int(arguments[3]) ?? 64)
case ("speed"?, 4): try speed(arguments[2], Int(arguments[3]) ?? 100)
default: print("usage: mask-bench write DIR MEBIBYTES | speed DIR COUNT")
}
