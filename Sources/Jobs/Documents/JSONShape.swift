// JSONShape: which parts of a document somebody wants. A forge sends megabytes of which brokerd wants twenty values.

/// What is kept of a value.
package indirect enum JSONShape: Sendable {
    case whole
    case nothing
    /// The keys of a map, each once. Of a list, and of a map without wanted keys, that it is there is all that is kept.
    case parts([(key: String, shape: JSONShape)])

    /// The values at `paths`, each as `key.key.key`.
    package init(_ paths: [String]) {
        self = Self.parts(of: paths.map { $0.split(separator: ".") })
    }

    private static func parts(of paths: [[Substring]]) -> JSONShape {
        var keys: [Substring] = []
        for case let key? in paths.map(\.first) where !keys.contains(key) { keys.append(key) }
        return .parts(
            keys.map { key in
                (String(key), parts(of: paths.filter { $0.first == key }.map { Array($0.dropFirst()) }))
            })
    }

    var isWhole: Bool { if case .whole = self { true } else { false } }
    var isKept: Bool { if case .nothing = self { false } else { true } }

    /// Whether it matters what a map's keys are.
    var readsKeys: Bool {
        switch self {
        case .whole: true
        case .nothing: false
        case .parts(let parts): !parts.isEmpty
        }
    }

    /// What is wanted of the value of `key`, and which of the parts it is. Not exact is a key in other letters: there
    /// are readers that take it for the same.
    func part(_ key: String) -> (shape: JSONShape, index: Int?, isExact: Bool) {
        guard case .parts(let parts) = self else { return (self, nil, true) }
        let index = parts.firstIndex { $0.key.utf8.elementsEqual(key.utf8) { Self.folded($0) == Self.folded($1) } }
        guard let index else { return (.nothing, nil, true) }
        return (parts[index].shape, index, parts[index].key.utf8.elementsEqual(key.utf8))
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
