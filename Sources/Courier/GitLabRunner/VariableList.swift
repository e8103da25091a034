// VariableList: a job's variables, expanded as gitlab-runner does it: once, `$NAME` and `${NAME}`, from the values as
// they came; of two with one name the last one is meant, and raw ones are as they are. A value that was made of a
// secret is one.

struct GivenVariable {
    let key: String
    let value: String
    let isSecret: Bool
    let isFile: Bool
    let isMasked: Bool
    let isRaw: Bool

    /// - Parameter isPublic: GitLab's word: whoever may see the job may see its value.
    init(_ key: String, _ value: String, isPublic: Bool, isFile: Bool, isMasked: Bool, isRaw: Bool) {
        self.key = key
        self.value = value
        // The job's own token, whatever is said of it.
        let isToken = key.utf8.elementsEqual("CI_JOB_TOKEN".utf8)
        isSecret = !isPublic || isFile || isMasked || isToken
        self.isFile = isFile
        self.isMasked = isMasked || isToken
        self.isRaw = isRaw
    }
}

/// A text, and whether it was made of a secret.
struct ExpandedText: Equatable {
    var bytes: [UInt8] = []
    var isSecret = false
    var isMasked = false

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

struct VariableList {
    private let last: [[UInt8]: GivenVariable]
    private let secrets: [[UInt8]]
    /// The last of each name, in the order in which those stand.
    let variables: [GivenVariable]

    init(_ given: [GivenVariable]) {
        var last: [[UInt8]: GivenVariable] = [:]
        var kept: [GivenVariable] = []
        for variable in given.reversed() where last[Array(variable.key.utf8)] == nil {
            last[Array(variable.key.utf8)] = variable
            kept.append(variable)
        }
        self.last = last
        variables = kept.reversed()
        secrets = kept.filter(\.isSecret).map { Array($0.value.utf8) }.filter { $0.count >= Self.shortestSecret }
    }

    /// Whether a text has the value of a variable in it that is not public. A short one is no secret, and is
    /// everywhere.
    func isRevealing(_ text: [UInt8]) -> Bool {
        secrets.contains { secret in
            guard secret.count <= text.count, let first = secret.first else { return false }
            var at = 0
            while let place = text[at...(text.count - secret.count)].firstIndex(of: first) {
                if text[place...].starts(with: secret) { return true }
                at = place + 1
                if at > text.count - secret.count { return false }
            }
            return false
        }
    }

    private static let shortestSecret = 8

    subscript(_ name: String) -> GivenVariable? { last[Array(name.utf8)] }

    /// Go's os.Expand with gitlab-runner's mapping.
    /// - Parameter path: what is expanded, for a sentence.
    func expand(_ text: String, at path: String, most: Int) throws(JobRefused) -> ExpandedText {
        let bytes = Array(text.utf8)
        var result = ExpandedText()
        var at = 0
        while at < bytes.count {
            if bytes[at] != UInt8(ascii: "$") || at + 1 == bytes.count {
                result.bytes.append(bytes[at])
                at += 1
            } else {
                let (name, width) = Self.name(bytes[(at + 1)...])
                at += 1 + width
                if name.isEmpty {
                    // `${}` and an open brace vanish; a dollar before anything else is one.
                    if width == 0 { result.bytes.append(UInt8(ascii: "$")) }
                } else {
                    try append(name, to: &result, path)
                }
            }
            guard result.bytes.count <= most else {
                throw .unsupported(
                    "\(path) is longer than \(most) bytes when its variables are put in, which is all that fits")
            }
        }
        return result
    }

    private func append(_ name: ArraySlice<UInt8>, to result: inout ExpandedText, _ path: String) throws(JobRefused) {
        if name.elementsEqual([UInt8(ascii: "$")]) { return result.bytes.append(UInt8(ascii: "$")) }
        guard let variable = last[Array(name)] else { return }
        if variable.isFile {
            throw .unsupported(
                "\(path) names the file variable \(JobRefused.shown(variable.key)); where that file will be is only "
                    + "known when the job runs, so use it in the script")
        }
        result.bytes += variable.value.utf8
        result.isSecret = result.isSecret || variable.isSecret
        result.isMasked = result.isMasked || variable.isMasked
    }

    /// What is named behind a dollar, and how many bytes say so.
    private static func name(_ rest: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, width: Int) {
        let start = rest.startIndex
        guard rest[start] == UInt8(ascii: "{") else {
            if isSpecial(rest[start]) { return (rest[start...start], 1) }
            let name = rest.prefix(while: isNamePart)
            return (name, name.count)
        }
        guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return ([], 1) }
        return (rest[(start + 1)..<end], end - start + 1)
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || Array("*#$@!?-".utf8).contains(byte)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
}
