// Reads a profile, and holds it to its form: every mistake with its line.
import CSeccomp

struct ProfileParser {
    private let profile: String
    private var rules: [Rule] = []
    private var mistakes: [ProfileMistake] = []
    private var line = 0

    init(profile: String) {
        self.profile = profile
    }

    mutating func read(_ text: String) -> (rules: [Rule], mistakes: [ProfileMistake]) {
        for (number, content) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            line = number + 1
            // Lines that only comment may stand anywhere.
            if content.isEmpty || content.hasPrefix("#") { continue }
            if let rule = rule(content) { add(rule) }
        }
        line = 0
        let calls = Set(rules.map(\.call)).count
        if calls == 0 { mistake("permits nothing") }
        if calls > Profile.limit { mistake("has \(calls) calls, more than \(Profile.limit)") }
        return (rules, mistakes)
    }

    private mutating func add(_ rule: Rule) {
        if let last = rules.last, rule.call < last.call { mistake("`\(rule.call)` is not in its place: sort by name") }
        let others = rules.filter { $0.call == rule.call }
        if others.contains(where: { $0.conditions == rule.conditions }) {
            mistake("`\(rule.call)` is here twice")
        } else if !others.isEmpty && (others + [rule]).contains(where: \.conditions.isEmpty) {
            // One line would say yes to everything that the other is particular about.
            mistake("`\(rule.call)` has a line without arguments besides one with them")
        }
        rules.append(rule)
    }

    /// `call [argN[&MASK]=VALUE,...]... [-> ERROR]  # [rare: ]reason`
    private mutating func rule(_ content: Substring) -> Rule? {
        let parts = content.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        var reason = parts.count == 2 ? trimmed(parts[1]) : ""
        let isRare = reason.hasPrefix("rare:")
        if isRare { reason = trimmed(reason.dropFirst(5)) }
        if reason.isEmpty { mistake("says no reason: end the line with `# why`") }
        var words = parts[0].split(separator: " ")[...]
        guard let call = words.popFirst() else { return mistake("names no call") }
        if unsafe seccomp_syscall_resolve_name(String(call)) == __NR_SCMP_ERROR {
            return mistake("`\(call)` is no system call that libseccomp knows")
        }
        var refusal: Int32?
        if words.count >= 2, words[words.endIndex - 2] == "->" {
            guard let error = ProfileWords.errors[String(words[words.endIndex - 1])] else {
                return mistake("`\(words[words.endIndex - 1])` is no error that profiles use")
            }
            refusal = error
            words = words.dropLast(2)
        }
        var conditions: [Rule.Condition] = []
        for word in words {
            guard let condition = condition(word) else { return mistake("`\(word)` is not `argN=VALUE`") }
            if conditions.contains(where: { $0.argument == condition.argument }) {
                return mistake("arg\(condition.argument) is here twice")
            }
            conditions.append(condition)
        }
        return Rule(
            line: line, call: String(call), conditions: conditions, refusal: refusal, reason: reason, isRare: isRare)
    }

    /// `arg0=A,B` or `arg2&MASK=VALUE`
    private func condition(_ word: Substring) -> Rule.Condition? {
        let sides = word.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, sides[0].hasPrefix("arg") else { return nil }
        let left = sides[0].dropFirst(3).split(separator: "&", omittingEmptySubsequences: false)
        guard left.count <= 2, let argument = UInt32(left[0]), argument < 6 else { return nil }
        var mask: UInt32 = .max
        if left.count == 2 {
            guard let bits = ProfileWords.number(left[1]), bits != 0 else { return nil }
            mask = bits
        }
        let words = sides[1].split(separator: ",", omittingEmptySubsequences: false)
        let values = words.compactMap(ProfileWords.value)
        guard values.count == words.count else { return nil }
        // A value outside the mask is never met: the line would permit nothing and look as if it did.
        for case .number(let number) in values where number & ~mask != 0 { return nil }
        return Rule.Condition(argument: argument, mask: mask, values: values)
    }

    private func trimmed(_ text: Substring) -> String {
        var rest = text.drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return String(rest)
    }

    private mutating func mistake(_ text: String) {
        mistakes.append(ProfileMistake(profile: profile, line: line, text: text))
    }

    private mutating func mistake<Nothing>(_ text: String) -> Nothing? {
        mistakes.append(ProfileMistake(profile: profile, line: line, text: text))
        return nil
    }
}
