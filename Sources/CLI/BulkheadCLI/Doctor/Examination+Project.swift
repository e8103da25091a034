// What a project needs: that it is there, the images of its jobs, its keys and secrets, and a forge that lets us.

import Foundation
import JobModel
import ProjectModel
import TrustModel
import YAMLDocuments

extension Examination {
    /// Those to be looked at: the one that was named, or all of them.
    func projects(_ name: String?) async throws -> [Project] {
        let desk = ProjectDesk(client: client)
        let known = try await desk.all().map(\.name)
        guard let name else {
            if known.isEmpty {
                settleKey()
                add(
                    .project, .missing, "there is none; docs/github.md, gitlab.md and gitea.md begin with one",
                    mend: "bulkhead project apply projects.yaml")
            }
            return try await read(known, desk)
        }
        guard known.contains(name) else {
            settleKey()
            let hint = ProjectHint.question(name, among: known)
            add(
                .project, .missing, project: name, "there is no such project\(hint)",
                mend: "bulkhead project apply projects.yaml")
            return []
        }
        return try await read([name], desk)
    }

    private func read(_ names: [String], _ desk: ProjectDesk) async throws -> [Project] {
        var found: [Project] = []
        for name in names {
            guard let document = try await desk.project(name) else { continue }
            found += try YAMLSpec.projects("{\"projects\": [\(document.document)]}")
        }
        return found
    }

    func examine(_ project: Project) async throws {
        progress("looking at \(project.name)")
        add(.project, .ok, project: project.name, "in force, with \(project.whatRuns)")
        await images(project)
        let secrets = Set(try await client.secrets(of: project.name).map(\.name))
        let hasToken = keys(project, secrets)
        wanted(project, secrets)
        if hasToken { try await forge(project) }
        try await deliveries(project)
    }

    private func images(_ project: Project) async {
        let images = Set(project.jobs.compactMap { $0.file?.image } + [project.runner?.job.image].compactMap { $0 })
            .sorted()
        do throws(EngineWitness.Silent) {
            var missing = false
            for image in images where try await !engine.has(image: image) {
                missing = true
                add(
                    .image, .missing, project: project.name, "\(image) is not on the engine, and nothing pulls it",
                    mend: engine.pull(image))
            }
            if !missing, !images.isEmpty { add(.image, .ok, project: project.name, images.joined(separator: ", ")) }
        } catch {
            add(
                .image, .unknown, project: project.name, "whether \(images.joined(separator: ", ")) is there",
                mend: images.first.map { "bulkhead runners start --image \($0)" })
        }
    }

    /// Whether there is a token for the forge.
    private func keys(_ project: Project, _ secrets: Set<String>) -> Bool {
        let (name, key) = (project.name, ForgeSecret.webhookKey.rawValue)
        if secrets.contains(key) {
            add(.webhookKey, .ok, project: name, "is set")
        } else if project.wantsHook {
            settleKey()
            // An app has one already; and what was made for a forge is not made anew.
            let file = project.rules.forge.app == nil ? "\(name).key" : "FILE"
            let make = "(umask 077; [ -s \(file) ] || openssl rand -hex 32 | tr -d '\\n' > \(file)) && "
            add(
                .webhookKey, .missing, project: name,
                "without it no webhook is believed" + (project.rules.forge.app == nil ? "" : "; it is the app's"),
                mend: (project.rules.forge.app == nil ? make : "")
                    + "bulkhead secret set \(name) \(key) --from-file \(file)")
        }
        let (finding, token, mend) = project.way
        guard !secrets.contains(token.rawValue) else {
            add(finding, .ok, project: name, "is set")
            return true
        }
        settleKey()
        add(
            finding, .missing, project: name,
            "no sources and no statuses without it; docs/\(project.guide).md says what it has to be able to do",
            mend: mend)
        return false
    }

    /// Secrets that jobs name.
    private func wanted(_ project: Project, _ secrets: Set<String>) {
        let named = project.jobs.flatMap { job in (job.file?.steps ?? []).flatMap(\.secrets).map { ($0.name, job.name) }
        }
        let missing = Dictionary(named, uniquingKeysWith: { first, _ in first })
            .filter { !secrets.contains($0.key) && $0.key != JobFile.jobTokenSecret }
        for (secret, job) in missing.sorted(by: { $0.key < $1.key }) {
            settleKey()
            add(
                .secret, .missing, project: project.name, "job '\(job)' needs \(secret)",
                mend: "bulkhead secret set \(project.name) \(secret)")
        }
    }

    /// What the forge lets the token do, as courierd has found it out.
    private func forge(_ project: Project) async throws {
        struct Answer: Decodable { let missing: [String] }
        let name = project.name
        progress("asking \(project.forge.url)")
        do {
            let data = try await client.send(try client.request("GET", "/projects/\(name)/forge"))
            let missing = try client.decoded(Answer.self, data).missing
            if missing.isEmpty { add(.forge, .ok, project: name, "\(project.forge.url) lets us do our work") }
            for what in missing {
                settleKey()
                // An app is given permissions at its page, a token when it is made.
                add(.forge, .missing, project: name, what, mend: project.appPage ?? project.way.mend)
            }
        } catch let failure as CommandFailure where failure.code == "denied_by_policy" {
            add(.forge, .unknown, project: name, "what its token may do is for whoever may set that")
        } catch let failure as CommandFailure {
            add(
                .forge, .missing, project: name, "\(project.forge.url) cannot be asked: \(failure)",
                mend: project.forge.url)
        }
    }
}

extension ProjectJob {
    /// nil where it stands in the repository.
    fileprivate var file: JobFile? {
        if case .written(let file) = definition { file } else { nil }
    }
}

extension Project {
    /// The page that explains its forge.
    fileprivate var guide: String {
        if rules.forge.app != nil { return "howto/github-app" }
        if runner != nil && jobs.isEmpty { return "howto/gitlab-runner" }
        return rules.forge.kind == .forgejo ? "gitea" : rules.forge.kind.rawValue
    }

    /// How we come in there, and how that is set.
    fileprivate var way: (finding: Finding.Check, secret: ForgeSecret, mend: String) {
        let app = rules.forge.app != nil
        let secret = app ? ForgeSecret.appKey : .token
        let mend = "bulkhead secret set \(rules.name) \(secret.rawValue)" + (app ? " --from-file FILE.pem" : "")
        return (app ? .appKey : .forgeToken, secret, mend)
    }
}
