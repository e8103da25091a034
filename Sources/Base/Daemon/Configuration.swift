// A daemon's settings, read from `--key value` pairs before anything else happens. No file, no environment: the unit,
// or `bulkhead up`, says everything in one line. Secrets never come this way.
import Glibc
import Posix

/// Settings that have been read and checked. Asking for a key that was not declared, or in another form, is a mistake
/// of the program and ends it.
package struct Configuration: Sendable {
    enum Value: Equatable, Sendable {
        case text(String), number(Int), truth(Bool), user(UInt32), texts([String])
    }

    private var values: [String: Value] = [:]
    private let declared: Set<String>

    /// Reads the arguments (without the program's name).
    package static func parse(_ arguments: [String], keys: [Key]) throws(ConfigurationError) -> Configuration {
        try ConfigurationReader(keys: keys).read(arguments)
    }

    /// Reads the arguments; prints the help, or all mistakes, and exits (0, or 64 as sysexits.h has it) if there is
    /// nothing to run.
    package static func read(
        _ program: String, about: String, arguments: [String], keys: [Key]
    ) -> Configuration {
        do {
            return try parse(arguments, keys: keys)
        } catch {
            if error.wantsHelp {
                emit(helpText(program, about: about, keys: keys), to: 1)
                exit(0)
            }
            let lines = error.problems.map { "\(program): \(Logfmt.escaped($0))\n" }.joined()
            emit(lines + "`\(program) --help` lists the settings.\n", to: 2)
            exit(EX_USAGE)
        }
    }

    /// The help text of a program with these keys.
    package static func helpText(_ program: String, about: String, keys: [Key]) -> String {
        "\(program): \(about)\n\nSettings:\n" + keys.map(\.helpText).joined()
            + "  --help\n      Prints this text.\n"
    }

    init(_ values: [String: Value], declared: Set<String>) {
        self.values = values
        self.declared = declared
    }

    package func string(_ name: String) -> String { needed(name, optionalString(name)) }
    package func path(_ name: String) -> String { needed(name, optionalString(name)) }
    package func int(_ name: String) -> Int { needed(name, optionalInt(name)) }

    package func uid(_ name: String) -> UInt32 {
        guard case .user(let uid) = value(name) else { return needed(name, nil) }
        return uid
    }

    package func bool(_ name: String) -> Bool {
        guard case .truth(let truth) = value(name) else { return false }
        return truth
    }

    /// The parts of a list; none if it was not given.
    package func list(_ name: String) -> [String] {
        guard case .texts(let texts) = value(name) else { return [] }
        return texts
    }

    package func optionalString(_ name: String) -> String? {
        guard case .text(let text) = value(name) else { return nil }
        return text
    }

    package func optionalInt(_ name: String) -> Int? {
        guard case .number(let number) = value(name) else { return nil }
        return number
    }

    private func value(_ name: String) -> Value? {
        precondition(declared.contains(name), "--\(name) is not declared")
        return values[name]
    }

    private func needed<Result>(_ name: String, _ value: Result?) -> Result {
        guard let value else { preconditionFailure("--\(name) is optional, or of another kind") }
        return value
    }

    private static func emit(_ text: String, to descriptor: Int32) {
        // Nobody can be told if even this fails; the exit status still says it.
        try? Posix.writeAll(descriptor, Array(text.utf8))
    }
}
