// Signals to one thread: a test process has threads of its runner that do not block what the test blocks.
import Glibc
import Posix

enum SignalSelf {
    static func send(_ signal: Int32) throws {
        let error = pthread_kill(pthread_self(), signal)
        if error != 0 { throw PosixError.system(call: "pthread_kill", errno: error) }
    }
}
