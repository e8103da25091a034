// A project's document, read. It is kept as canonical JSON, so that what holds can be shown as it is.

import Documents
import JobModel
import Link
import ProjectModel
import Wire

enum StoredProject {
    private static let bounds = JSONReader.Bounds(depth: JobFile.Bounds.depth, values: ProjectFile.Bounds.values)

    /// Throws `invalid`, with the first mistake, for what is no project.
    static func read(_ document: [UInt8]) throws(Failure) -> Project {
        let value: SpecValue
        do {
            value = try JSONReader.document(document, bounds: bounds)
        } catch {
            throw Failure(.invalid, "is not JSON: \(error)", place: "document")
        }
        let list = SpecValue(.map([.init(key: "projects", value: SpecValue(.list([value])))]))
        switch ProjectFile.parse(list) {
        case .success(let projects):
            guard let project = projects.first else { throw Failure(.invalid, "has no project", place: "document") }
            return project
        case .failure(let problems):
            let first = problems.problems.first
            throw Failure(.invalid, first?.message ?? "is no project", place: first?.path ?? "document")
        }
    }

    /// What brokerd's words name the project by.
    static func revision(_ project: Project) -> Bytes32 {
        Scheduler.hash(project.canonicalBytes)
    }
}
