// ProjectDesk: projects between a file and a house. What trust depends on is sealed for brokerd here; the document goes
// beside it.

import Foundation
import JobWire
import Orders
import ProjectModel
import TrustModel
import TrustWire
import Wire
import YAMLDocuments

struct ProjectDesk {
    /// The most that the protocol carries.
    private static let documentBytes = 40_960

    let client: APIClient

    /// nil: there is none of this name.
    func project(_ name: String) async throws -> ProjectDocument? {
        do {
            let data = try await client.send(try client.request("GET", "/projects/\(name)"))
            return try client.decoded(ProjectDocument.self, data)
        } catch let failure as CommandFailure where failure.code == "not_found" {
            return nil
        }
    }

    func all() async throws -> [ProjectPage.Project] {
        var found: [ProjectPage.Project] = []
        while true {
            let query = found.last.map { ["after": $0.name] } ?? [:]
            let data = try await client.send(try client.request("GET", "/projects", query: query))
            let page = try client.decoded(ProjectPage.self, data)
            found += page.projects
            if !page.more || page.projects.isEmpty { return found }
        }
    }

    func apply(_ project: Project, _ key: KeyFile) async throws {
        let document = project.json
        guard document.count <= Self.documentBytes else {
            throw CommandFailure(
                "project '\(project.name)' comes to \(document.count) bytes, and \(Self.documentBytes) are the "
                    + "most; make two projects of it, or shorten its steps", exit: .usage)
        }
        let desk = OrderDesk(client: client, key: key)
        let body = OrderBody.setProject(SetProjectOrder(project: project.name))
        let policy = try Self.policy(project)
        try await desk.send(body, value: policy) { sealed in
            let change = [
                "document": String(decoding: document, as: UTF8.self), "order": try SealedJob.headerValue(sealed),
            ]
            var request = try client.request("PUT", "/projects/\(project.name)")
            request.body = .bytes(Array(try JSONEncoder().encode(change)))
            request.headers["Content-Type"] = "application/json"
            _ = try await client.send(request, repeatable: true)
        }
    }

    func remove(_ name: String, _ key: KeyFile) async throws {
        let desk = OrderDesk(client: client, key: key)
        try await desk.send(.removeProject(RemoveProjectOrder(project: name)), value: []) { sealed in
            var request = try client.request("DELETE", "/projects/\(name)")
            request.headers[SealedJob.header] = try SealedJob.headerValue(sealed)
            _ = try await client.send(request, repeatable: true)
        }
    }

    static func revision(_ project: Project) -> Bytes32 { Hashes.sha256(project.canonicalBytes) }

    /// What brokerd decides by, encoded.
    private static func policy(_ project: Project) throws -> [UInt8] {
        let jobs = try project.jobs.map { job -> PolicyJob in
            switch job.definition {
            case .file(let file):
                return PolicyJob(
                    name: job.name, checkout: job.checkout, definition: nil,
                    file: Hashes.sha256(try file.rule.encoded()))
            case .written(let file):
                return PolicyJob(
                    name: job.name, checkout: job.checkout,
                    definition: try Hashes.definition(try SealedJob.definition(file, source: nil)), file: nil)
            }
        }
        let bytes = try project.rules.policy(
            jobs: jobs, runner: try project.runner.map { Hashes.sha256(try $0.rule.encoded()) },
            revision: revision(project)
        ).encoded()
        guard bytes.count <= OrderSealer.valueLimit else {
            throw CommandFailure(
                "the rules of project '\(project.name)' come to \(bytes.count) bytes, and \(OrderSealer.valueLimit) "
                    + "are the most; use fewer or shorter patterns", exit: .usage)
        }
        return bytes
    }
}

struct ProjectDocument: Decodable {
    let document: String
    let revision: String

    /// As a file of projects has it.
    func yaml() throws -> String {
        // JSON is YAML.
        try YAMLText.text(ProjectFile.document(try YAMLSpec.projects("{\"projects\": [\(document)]}")))
    }
}

struct ProjectPage: Decodable {
    struct Project: Codable {
        let name: String
        let forge: String
        let repository: String
        let jobs: Int
        let revision: String
        let setAt: String
    }

    let projects: [Project]
    let more: Bool
}
