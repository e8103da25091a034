// What of one directory an artifact rule selects. Pure; ArtifactPacker walks with it.

package import Wire

package struct ArtifactSelection {
    private let paths: [ArtifactPattern]
    private let exclude: [ArtifactPattern]
    /// Where each pattern stands in this directory.
    private var pathPlaces: [[Int]]
    private var excludePlaces: [[Int]]
    /// The directory is selected, and so is all in it.
    private var isAll: Bool
    /// Patterns that lead out of the source directory: they select nothing.
    package let refused: [String]

    /// Of the source directory.
    package init(_ rule: ArtifactRule) {
        paths = rule.paths.compactMap(ArtifactPattern.init)
        exclude = rule.exclude.compactMap(ArtifactPattern.init)
        refused = (rule.paths + rule.exclude).filter { ArtifactPattern($0) == nil }
        pathPlaces = paths.map(\.beginning)
        excludePlaces = exclude.map(\.beginning)
        isAll = zip(paths, pathPlaces).contains { $0.isWhole($1) }
        if zip(exclude, excludePlaces).contains(where: { $0.isWhole($1) }) {
            isAll = false
            pathPlaces = []
        }
    }

    /// Whether what has this name here is selected; and, should it be a directory, what in it is: nil for nothing.
    package func entering(_ name: [UInt8]) -> (isSelected: Bool, below: ArtifactSelection?) {
        var below = self
        below.excludePlaces = zip(exclude, excludePlaces).map { $0.places(after: $1, name) }
        if zip(exclude, below.excludePlaces).contains(where: { $0.isWhole($1) }) { return (false, nil) }
        if isAll { return (true, below) }
        below.pathPlaces = zip(paths, pathPlaces).map { $0.places(after: $1, name) }
        below.isAll = zip(paths, below.pathPlaces).contains { $0.isWhole($1) }
        let mayHold = below.pathPlaces.contains { !$0.isEmpty }
        return (below.isAll, mayHold ? below : nil)
    }
}
