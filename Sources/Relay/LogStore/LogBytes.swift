// What all logs have taken since the start; each AttemptLog adds to it.

final class LogBytes {
    var count: UInt64 = 0
}
