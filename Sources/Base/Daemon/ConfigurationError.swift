// What is wrong with a command line: all of it, not the first thing only.

/// The mistakes of a command line, in the order in which they were found.
package struct ConfigurationError: Error, Equatable, Sendable {
    /// Each starts with the flag that it is about.
    package let problems: [String]
    /// `--help` was asked for; the problems do not matter then.
    package let wantsHelp: Bool
}

extension ConfigurationError: CustomStringConvertible {
    package init(problems: [String]) { self.init(problems: problems, wantsHelp: false) }

    package var description: String { problems.joined(separator: "\n") }
}
