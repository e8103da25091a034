// What is wrong with a profile, and where.

/// One mistake; a line of 0 is about the file as a whole.
package struct ProfileMistake: Equatable, Sendable, CustomStringConvertible {
    package let profile: String
    package let line: Int
    package let text: String

    package var description: String { line == 0 ? "\(profile): \(text)" : "\(profile):\(line): \(text)" }
}
