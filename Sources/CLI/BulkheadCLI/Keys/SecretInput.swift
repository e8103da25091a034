// SecretInput: how the value of a secret gets into the CLI: from a pipe, a file, or typed where nobody sees it. Never
// from the command line, which every process of the machine can read.

import Foundation
import Glibc
import Orders

enum SecretInput {
    /// The exact bytes of a file or a pipe; what was typed at a prompt without the line break that ended it.
    static func value(file: String?, prompt: String) throws -> [UInt8] {
        let bytes: [UInt8]
        if let file {
            bytes = try read(name: file) { try FileHandle(forReadingFrom: URL(fileURLWithPath: file)) }
        } else if isatty(STDIN_FILENO) == 1 {
            bytes = try typed(prompt)
        } else {
            bytes = try read(name: "standard input") { .standardInput }
        }
        guard !bytes.isEmpty else {
            throw CommandFailure("the value is empty; a secret has 1 to \(OrderSealer.valueLimit) bytes", exit: .usage)
        }
        guard bytes.count <= OrderSealer.valueLimit else {
            throw CommandFailure(
                "the value is longer than \(OrderSealer.valueLimit) bytes, the most that a secret has", exit: .usage)
        }
        return bytes
    }

    private static func read(name: String, open: () throws -> FileHandle) throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            let handle = try open()
            while bytes.count <= OrderSealer.valueLimit, let part = try handle.read(upToCount: 4096), !part.isEmpty {
                bytes.append(contentsOf: part)
            }
        } catch {
            throw CommandFailure(
                "cannot read \(name): \(CommandFailure.cause(of: error)); mend --from-file, or give the value on "
                    + "standard input", exit: .usage)
        }
        return bytes
    }

    // MARK: Prompt

    /// The terminal as it was; a signal in the middle of typing must find it again.
    private nonisolated(unsafe) static var saved = termios()

    private static func typed(_ prompt: String) throws -> [UInt8] {
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else {
            throw CommandFailure("the terminal cannot be asked; give the value on standard input", exit: .failure)
        }
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
        for number in signals {
            signal(number) { number in
                tcsetattr(STDIN_FILENO, TCSANOW, &SecretInput.saved)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
        Terminal.write(Data(prompt.utf8), to: .standardError)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else {
            throw CommandFailure("the terminal does not stop echoing; give the value on standard input", exit: .failure)
        }
        defer {
            tcsetattr(STDIN_FILENO, TCSANOW, &saved)
            for number in signals { signal(number, SIG_DFL) }
            Terminal.note("")
        }
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while Glibc.read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n"),
            line.count <= OrderSealer.valueLimit
        {
            line.append(byte)
        }
        return line
    }
}
