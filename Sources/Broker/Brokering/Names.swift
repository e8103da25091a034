// The names that people may give. They stand in files, in the audit log and in variables of the AAD: nothing else gets
// there.

import Wire

/// Checks of names.
enum Names {
    /// `[A-Za-z0-9_][A-Za-z0-9._-]{0,63}`, and not the reserved name.
    static func isSecret(_ name: String) -> Bool {
        name != GrantFormat.jobToken
            && isName(name) { isLetter($0) || (65...90).contains($0) || isDigit($0) || $0 == 95 }
    }

    /// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`: of users and of tokens.
    static func isUser(_ name: String) -> Bool {
        isName(name) { isLetter($0) || (65...90).contains($0) || isDigit($0) }
    }

    /// `[a-z0-9][a-z0-9._-]{0,63}`.
    static func isProject(_ name: String) -> Bool {
        isName(name) { isLetter($0) || isDigit($0) } && !name.utf8.contains { (65...90).contains($0) }
    }

    private static func isName(_ name: String, first: (UInt8) -> Bool) -> Bool {
        guard let initial = name.utf8.first, name.utf8.count <= 64, first(initial) else { return false }
        return name.utf8.allSatisfy {
            isLetter($0) || (65...90).contains($0) || isDigit($0) || [45, 46, 95].contains($0)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
