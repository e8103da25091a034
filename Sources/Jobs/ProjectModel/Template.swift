// Template: a job of a project with parameters in it. `${{ name }}` stands for one, in any text of the template. Only
// what the project's file says is put there: no branch, title or name of an event ever is, those are strangers' words.

import Documents
import JobModel

struct Template {
    /// Nil: the job has to say it.
    let parameters: [(name: String, value: SpecValue?)]
    /// Keys of a job; nil if there are mistakes in them, which have been told.
    let entries: [SpecValue.Entry]?
}

extension SpecReader {
    mutating func templates(_ value: SpecValue, at path: String) -> [String: Template] {
        var templates: [String: Template] = [:]
        for (name, value, path) in named(value, at: path, of: "templates", limit: ProjectFile.Bounds.templates) {
            let first = problems.count
            guard let map = map(value, at: path, keys: ["parameters"] + SharedParts.templateKeys) else { continue }
            let ofKeys = problems.count
            let parameters = map["parameters"].map { self.parameters($0, at: "\(path).parameters") } ?? []
            let isKnown = problems.count == ofKeys
            let entries = SharedParts.templateKeys.compactMap { key in
                map[key].map { SpecValue.Entry(key: key, place: $0.place, value: $0) }
            }
            // Also what no job uses is to be right: tried with every parameter known.
            var trial = Substitution(
                values: Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, .text("")) }), cost: expanded)
            if isKnown { for entry in entries { _ = trial.value(entry.value, at: "\(path).\(entry.key)") } }
            expanded = trial.cost
            for problem in trial.problems { report(problem.path, problem.place, problem.message) }
            templates[name] = Template(
                parameters: parameters, entries: problems.count == first ? entries : nil)
        }
        return templates
    }

    private mutating func parameters(_ value: SpecValue, at path: String) -> [(name: String, value: SpecValue?)] {
        named(value, at: path, of: "values", limit: ProjectFile.Bounds.parameters).map { name, value, path in
            if case .null = value.content { return (name, nil) }
            return (name, scalar(value, at: path) ? value : nil)
        }
    }

    /// The keys of a job that `template` and `with` stand for; nil if that is not known.
    mutating func expand(
        _ map: [String: SpecValue], in job: SpecValue, at path: String, _ shared: SharedParts
    ) -> [String: SpecValue]? {
        guard let name = map["template"] else {
            if let with = map["with"] { report("\(path).with", with.place, "says nothing without a template") }
            return map
        }
        guard case .string(let text) = name.content, let template = shared.templates[text] else {
            if case .string(let text) = name.content, shared.written.templates?.contains(text) ?? true { return nil }
            let known = shared.templates.keys.sorted().joined(separator: ", ")
            report(
                "\(path).template", name.place,
                "is no template of this project; " + (known.isEmpty ? "it has none" : "known are \(known)"))
            return nil
        }
        guard let entries = template.entries else { return nil }
        let given = map["with"].flatMap { self.map($0, at: "\(path).with", keys: template.parameters.map(\.name)) }
        if map["with"] != nil && given == nil { return nil }
        var values: [String: SpecValue] = [:]
        for (name, usual) in template.parameters {
            if let value = given?[name] {
                guard scalar(value, at: "\(path).with.\(name)") else { continue }
                values[name] = value
            } else if let usual {
                values[name] = usual
            } else {
                report("\(path).with.\(name)", (map["with"] ?? job).place, "is missing; the template asks for it")
            }
        }
        guard values.count == template.parameters.count else { return nil }
        var substitution = Substitution(values: values, cost: expanded)
        var keys: [String: SpecValue] = [:]
        for entry in entries where map[entry.key] == nil {
            keys[entry.key] = substitution.value(entry.value, at: "\(path).\(entry.key)")
        }
        expanded = substitution.cost
        for problem in substitution.problems { report(problem.path, problem.place, problem.message) }
        return substitution.problems.isEmpty ? keys.merging(map) { _, own in own } : nil
    }

    private mutating func scalar(_ value: SpecValue, at path: String) -> Bool {
        switch value.content {
        case .string, .integer, .bool: return true
        case .float:
            report(path, value.place, "is a number with a fraction; write it in quotes to keep it as it is")
        case .null, .list, .map:
            report(path, value.place, "must be a text, a number, or true or false; it is \(value.kind)")
        }
        return false
    }
}

/// Puts values in the place of `${{ name }}`.
struct Substitution {
    let values: [String: SpecValue]
    private(set) var problems: [JobFileProblem] = []
    /// Of this and of those before it, in bytes.
    private(set) var cost: Int
    private static let costOfValue = 32
    private static let costOfParameter = 64
    /// As long as the names that it may tell.
    private static let costOfProblem = 2048

    init(values: [String: SpecValue], cost: Int) {
        self.values = values
        self.cost = cost
    }

    /// False if the file's templates have come to more than they may: that is said by each that is left out.
    private mutating func spend(_ bytes: Int, at path: String, _ place: Place?) -> Bool {
        let limit = ProjectFile.Bounds.expandedBytes
        cost = min(cost + bytes, limit + 1)
        if cost > limit && problems.isEmpty {
            say(path, place, "is too much: all templates of a file may come to \(limit >> 20) MiB")
        }
        return cost <= limit
    }

    mutating func value(_ value: SpecValue, at path: String) -> SpecValue {
        guard spend(Self.costOfValue, at: path, value.place) else { return value }
        return switch value.content {
        case .string(let text): SpecValue(self.text(text, at: path, value.place), place: value.place)
        case .list(let items):
            SpecValue(
                .list(items.enumerated().map { self.value($1, at: "\(path)[\($0)]") }), place: value.place)
        case .map(let entries):
            SpecValue(
                .map(
                    entries.map { entry in
                        SpecValue.Entry(
                            key: entry.key, place: entry.place,
                            value: self.value(entry.value, at: "\(path).\(SpecReader.shown(entry.key))"))
                    }), place: value.place)
        case .null, .bool, .integer, .float: value
        }
    }

    /// A text that is nothing but one parameter becomes that, a number a number.
    private mutating func text(_ text: String, at path: String, _ place: Place?) -> SpecValue.Content {
        var rest = Substring(text).unicodeScalars
        var result = String.UnicodeScalarView()
        var bytes = 0
        guard spend(text.utf8.count, at: path, place) else { return .string(text) }
        while let opening = rest.firstRange(of: "${{".unicodeScalars) {
            guard let closing = rest[opening.upperBound...].firstRange(of: "}}".unicodeScalars) else {
                say(path, place, "has ${{ without }}; write ${{ name }}")
                return .string(text)
            }
            let name = String(rest[opening.upperBound..<closing.lowerBound]).trimmed
            guard let value = values[name] else {
                let known = values.keys.sorted().joined(separator: ", ")
                say(
                    path, place,
                    "asks for '\(SpecReader.shown(name))', which is no parameter of the template; "
                        + (known.isEmpty ? "it has none" : "known are \(known)"))
                return .string(text)
            }
            let isWhole = opening.lowerBound == text.startIndex && closing.upperBound == text.endIndex
            if isWhole { return value.content }
            let shown = value.content.shown
            guard spend(Self.costOfParameter + shown.utf8.count, at: path, place) else { return .string(text) }
            bytes += text.utf8.distance(from: rest.startIndex, to: opening.lowerBound) + shown.utf8.count
            result.append(contentsOf: rest[..<opening.lowerBound])
            result.append(contentsOf: shown.unicodeScalars)
            rest = rest[closing.upperBound...]
            guard bytes <= JobFile.Bounds.runBytes else {
                say(path, place, "comes to more than \(JobFile.Bounds.runBytes) bytes with its parameters")
                return .string(text)
            }
        }
        result.append(contentsOf: rest)
        return .string(String(result))
    }

    private mutating func say(_ path: String, _ place: Place?, _ message: String) {
        cost += Self.costOfProblem
        problems.append(JobFileProblem(path: path, place: place, message: message))
    }
}

extension String {
    /// Without the spaces around it.
    fileprivate var trimmed: String {
        var scalars = Substring(self).unicodeScalars
        while scalars.first == " " { scalars.removeFirst() }
        while scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }
}

extension SpecValue.Content {
    /// A scalar within a text.
    fileprivate var shown: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): String(flag)
        case .null, .float, .list, .map: ""
        }
    }
}
