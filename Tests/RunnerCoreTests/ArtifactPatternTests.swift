// What the paths and patterns of an artifact rule fit.

import RunnerCore
import Testing
import Wire

@Suite struct ArtifactPatternTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let paths: [String]
        var exclude: [String] = []
        let fit: [String]
        var testDescription: String { "\(paths) without \(exclude)" }
    }

    static let tree = [
        "a.txt", "ab.txt", "b.log", "build/", "build/a.txt", "build/deep/", "build/deep/a.txt", "build/deep/é.o", "[x]",
    ]
    static let all = tree.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }

    static let rows: [Row] = [
        Row(paths: ["a.txt"], fit: ["a.txt"]),
        Row(paths: ["*.txt"], fit: ["a.txt", "ab.txt"]),
        Row(paths: ["?.txt"], fit: ["a.txt"]),
        Row(paths: ["**/*.txt"], fit: ["a.txt", "ab.txt", "build/a.txt", "build/deep/a.txt"]),
        Row(paths: ["build"], fit: ["build", "build/a.txt", "build/deep", "build/deep/a.txt", "build/deep/é.o"]),
        Row(paths: ["./build/"], fit: ["build", "build/a.txt", "build/deep", "build/deep/a.txt", "build/deep/é.o"]),
        Row(paths: ["build//deep/./a.txt"], fit: ["build/deep/a.txt"]),
        Row(paths: ["build/*"], fit: ["build/a.txt", "build/deep", "build/deep/a.txt", "build/deep/é.o"]),
        Row(paths: ["build/*.txt"], fit: ["build/a.txt"]),
        Row(paths: ["*/deep/?.o"], fit: ["build/deep/é.o"]),
        Row(paths: ["build/**/a.txt"], fit: ["build/a.txt", "build/deep/a.txt"]),
        Row(paths: ["**/**/é.o"], fit: ["build/deep/é.o"]),
        Row(paths: ["**"], fit: all),
        Row(paths: ["."], fit: all),
        Row(paths: ["*"], fit: all),
        Row(paths: ["[x]"], fit: ["[x]"]),
        Row(paths: ["*b*t"], fit: ["ab.txt"]),
        Row(paths: ["b*d/a*"], fit: ["build/a.txt"]),
        Row(paths: ["a.txt/b", "build/none", "A.txt", ""], fit: all),
        Row(paths: ["a.txt/b", "build/none", "A.txt"], fit: []),
        Row(paths: ["**"], exclude: ["build"], fit: ["a.txt", "ab.txt", "b.log", "[x]"]),
        Row(paths: ["**/*.txt"], exclude: ["build/deep/**"], fit: ["a.txt", "ab.txt", "build/a.txt"]),
        Row(paths: ["build"], exclude: ["**/*.txt"], fit: ["build", "build/deep", "build/deep/é.o"]),
        Row(paths: ["**"], exclude: ["."], fit: []),
    ]

    @Test(arguments: rows) func whatFits(_ row: Row) {
        var found: [String] = []
        let rule = ArtifactRule(row.paths, exclude: row.exclude)
        for path in Self.tree {
            var selection: ArtifactSelection? = ArtifactSelection(rule)
            var isSelected = false
            for name in path.split(separator: "/") {
                guard let here = selection else {
                    isSelected = false
                    break
                }
                (isSelected, selection) = here.entering(Array(name.utf8))
            }
            if isSelected { found.append(path.hasSuffix("/") ? String(path.dropLast()) : path) }
        }
        #expect(found == row.fit)
        #expect(ArtifactSelection(rule).refused == [])
    }

    /// Before a directory is opened.
    @Test func whereNothingCanFitNobodyLooks() {
        let selection = ArtifactSelection(ArtifactRule(["build/*.o"], exclude: ["build/x"]))
        #expect(selection.entering(Array("src".utf8)).below == nil)
        let build = selection.entering(Array("build".utf8))
        #expect(!build.isSelected && build.below != nil)
        #expect(build.below?.entering(Array("x".utf8)).below == nil)
        #expect(build.below?.entering(Array("y".utf8)).below == nil)
    }

    @Test(arguments: ["/etc/passwd", "..", "../x", "a/../b", "/"]) func whatLeadsOutFitsNothing(pattern: String) {
        let selection = ArtifactSelection(ArtifactRule([pattern], exclude: [pattern]))
        #expect(selection.refused == [pattern, pattern])
        #expect(!selection.entering(Array("etc".utf8)).isSelected)
    }

    /// A hostile pattern on a long name takes no long time: the test ends.
    @Test func starsUponStars() {
        let pattern = String(repeating: "*a", count: 500) + "b"
        let selection = ArtifactSelection(ArtifactRule([pattern]))
        #expect(!selection.entering([UInt8](repeating: 97, count: 255)).isSelected)
        let folders = String(repeating: "**/a/", count: 200) + "b"
        var deep: ArtifactSelection? = ArtifactSelection(ArtifactRule([folders]))
        for _ in 0..<200 { deep = deep?.entering([97]).below }
        #expect(deep?.entering([98]).isSelected == true)
    }

    @Test func aProblemIsPlainAndBounded() {
        var problem = ArtifactProblem()
        #expect(problem.text == "")
        problem.add(Array("a\u{1B}[2Jé".utf8), "is left out")
        #expect(problem.text == "'a?[2J??' is left out")
        problem.add([], "again")
        problem.add([], "again")
        #expect(problem.text == "'a?[2J??' is left out (and 2 more)")
        var long = ArtifactProblem()
        long.add([UInt8](repeating: 97, count: 4000), String(repeating: "b", count: 300))
        long.add([], "")
        #expect(long.text.utf8.count == ArtifactProblem.longest && long.text.hasSuffix(" (and 1 more)"))
    }
}
