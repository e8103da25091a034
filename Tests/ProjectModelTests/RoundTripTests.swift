// What is written out of projects reads back as the same, as a document and as YAML; and whatever differs in them
// differs in their canonical bytes.

import BulkheadCLI
import Documents
import JobModel
import ProjectModel
import Testing
import TrustModel
import YAMLDocuments

@Suite struct RoundTripTests {
    @Test(arguments: 0..<60) func aDocumentReadsBack(_ seed: Int) throws {
        var made = Made(seed: seed)
        for _ in 0..<10 {
            let project = made.project()
            let document = ProjectFile.document([project])
            let read = try ProjectFile.parse(document).get()
            #expect(read == [project])
            #expect(read.first?.canonicalBytes == project.canonicalBytes)
            let text = try YAMLText.text(document)
            let again = Sample.read(text)
            #expect(again.projects == [project], "\(again.problems) \(text)")
        }
    }

    @Test(arguments: Made.texts) func aTextReadsBack(_ text: String) throws {
        let document = SpecValue(.map([.init(key: "key", value: SpecValue(.list([SpecValue(.string(text))])))]))
        let written = try YAMLText.text(document)
        guard case .map(let entries) = try YAMLSpec.document(written, of: .projects).content,
            case .list(let items)? = entries.first?.value.content, case .string(let read)? = items.first?.content
        else {
            Issue.record("\(written)")
            return
        }
        #expect(read.utf8.elementsEqual(text.utf8), "\(written.debugDescription)")
    }

    /// W20: an approval is bound to these bytes. Equal ones are equal projects; others are others.
    @Test func everyDifferenceIsInTheBytes() {
        var made = Made(seed: 1)
        let projects = (0..<300).map { _ in made.project() }
        let different = Set(projects.map(\.canonicalBytes)).count
        #expect(different == projects.enumerated().count { index, one in !projects[..<index].contains(one) })
        var project = projects[0]
        project.forge.app = nil
        let changes: [(inout Project) -> Void] = [
            { $0.name += "x" }, { $0.forge.url += "/x" }, { $0.forge.app = "x" },
            { $0.forge.kind = $0.forge.kind == .gitea ? .github : .gitea },
            { $0.repository.id = ($0.repository.id ?? 0) + 1 },
            { $0.repository.path = ($0.repository.path ?? "a") + "/x" },
            { $0.defaultBranch += "x" }, { $0.protectedBranches.append(Glob("x")) },
            { $0.protectedTags.append(Glob("x")) }, { $0.pullRequests.allowedUsers.append(.name("x")) },
            { $0.pullRequests.trust = $0.pullRequests.trust == .approved ? .untrusted : .approved },
            { $0.pullRequests.approval = $0.pullRequests.approval == .all ? .none : .all },
            { $0.secrets.append(.init(name: "x")) }, { $0.jobs[0].name += "x" },
            { $0.jobs[0].events = $0.jobs[0].events == [.tag] ? [.push] : [.tag] },
            { $0.jobs[0].paths.excluded.append(Glob("x")) }, { $0.jobs[0].definition = .file(.init(path: "x/y/z")) },
        ]
        var seen: Set<[UInt8]> = [project.canonicalBytes]
        for (index, change) in changes.enumerated() {
            var other = project
            change(&other)
            #expect(seen.insert(other.canonicalBytes).inserted, "change \(index)")
        }
    }

    /// Lengths stand before texts: what moves from one to its neighbour is seen.
    @Test func aTextThatMoves() throws {
        let one = try Sample.project("    protected_branches: [ab, c]")
        let other = try Sample.project("    protected_branches: [a, bc]")
        #expect(one.canonicalBytes != other.canonicalBytes)
        let tags = try Sample.project("    protected_tags: [ab, c]")
        #expect(one.canonicalBytes != tags.canonicalBytes)
        // These two look the same, and git tells them apart.
        let composed = try Sample.project("    protected_branches: [\u{E9}]")
        let decomposed = try Sample.project("    protected_branches: [e\u{301}]")
        #expect(composed.canonicalBytes != decomposed.canonicalBytes)
    }

    @Test func howItWasWrittenIsForgotten() throws {
        let short = try Sample.project(jobs: "[{name: j, image: i, env: {B: b, A: a}, timeout: 60, steps: [x]}]")
        let long = try Sample.project(
            "    templates: {t: {parameters: {i: null}, image: '${{ i }}', steps: [{run: x}]}}\n"
                + "    environments: {e: {A: a}}\n    default_branch: main",
            jobs: "[{name: j, template: t, with: {i: i}, environment: e, env: {B: b}, timeout: 1m}]")
        #expect(short == long && short.canonicalBytes == long.canonicalBytes)
    }
}
