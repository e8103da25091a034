// Reads a command line against the declared keys and collects every mistake on the way.

/// One reading of a command line.
struct ConfigurationReader {
    private let keys: [String: Key]
    private let order: [Key]
    private var values: [String: Configuration.Value] = [:]
    private var seen: Set<String> = []
    private var problems: [String] = []
    private var wantsHelp = false

    init(keys: [Key]) {
        order = keys
        self.keys = Dictionary(keys.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    consuming func read(_ arguments: [String]) throws(ConfigurationError) -> Configuration {
        var rest = arguments[...]
        while let argument = rest.popFirst() { take(argument, &rest) }
        for key in order where !seen.contains(key.name) {
            if key.isRequired { problems.append("--\(key.name): is missing") }
            if let fallback = key.fallback { set(key, fallback) }
        }
        if wantsHelp || !problems.isEmpty { throw ConfigurationError(problems: problems, wantsHelp: wantsHelp) }
        return Configuration(values, declared: Set(keys.keys))
    }

    private mutating func take(_ argument: String, _ rest: inout ArraySlice<String>) {
        if argument == "--help" || argument == "-h" {
            wantsHelp = true
            return
        }
        guard argument.hasPrefix("--"), argument.count > 2 else {
            problems.append("\(argument): is not a setting; settings are `--name value`")
            return
        }
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        // A value that is missing must not swallow the next flag.
        let value = parts.count == 2 ? String(parts[1]) : rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 }
        if parts.count == 1, value != nil { rest.removeFirst() }
        guard let key = keys[name] else {
            problems.append("--\(name): is unknown")
            return
        }
        if !seen.insert(name).inserted { problems.append("--\(name): is given twice") }
        guard let value else {
            problems.append("--\(name): needs a value")
            return
        }
        set(key, value)
    }

    private mutating func set(_ key: Key, _ text: String) {
        switch parse(key.kind, text) {
        case .success(let value): values[key.name] = value
        case .failure(let problem): problems.append("--\(key.name): \(problem.text), but it is `\(text)`")
        }
    }

    private struct Problem: Error {
        let text: String
    }

    private func parse(_ kind: Key.Kind, _ text: String) -> Result<Configuration.Value, Problem> {
        switch kind {
        case .string:
            return text.isEmpty ? .failure(Problem(text: "must not be empty")) : .success(.text(text))
        case .path:
            let usable = text.hasPrefix("/") && !text.utf8.contains(0)
            return usable ? .success(.text(text)) : .failure(Problem(text: "must be an absolute path"))
        case .int(let range, let unit):
            if let number = Int(text), range.contains(number) { return .success(.number(number)) }
            let name = unit.map { " of \($0)" } ?? ""
            return .failure(Problem(text: "must be a number\(name) from \(range.lowerBound) to \(range.upperBound)"))
        case .bool:
            let truth: Bool? = text == "true" ? true : text == "false" ? false : nil
            return truth.map { .success(.truth($0)) } ?? .failure(Problem(text: "must be true or false"))
        case .uid:
            // The last number means "no user" to the kernel, and so to a check of a peer.
            if let number = UInt32(text), number != .max { return .success(.user(number)) }
            return .failure(Problem(text: "must be a user's number"))
        case .list:
            let parts = text.split(separator: ",").map(String.init)
            return parts.isEmpty ? .failure(Problem(text: "must not be empty")) : .success(.texts(parts))
        case .choice(let names):
            if names.contains(text) { return .success(.text(text)) }
            return .failure(Problem(text: "must be one of \(names.joined(separator: ", "))"))
        }
    }
}
