// A job of GitLab's in the words of the house, by the rule of the project's runner: what of it is whose, and which jobs
// it does not take.

import Couriering
import GitLabRunner
import Testing
import Wire

@Suite struct TranslationTests {
    /// As GitLab hands it out; `image`: nil names none.
    private static func job(image: String? = nil, protected: Bool = true) throws -> GitLabJob {
        let named = image.map { #"{"name": "\#($0)"}"# } ?? "null"
        let document = """
            {"id": 12, "token": "glcbt-1", "job_info": {"name": "build", "stage": "test", "project_id": 15},
             "git_info": {"repo_url": "https://gitlab.example/harbour/ship.git", "ref": "topic", "ref_type": "branch",
               "sha": "91956efe32fb7bef54f378d90c9bd74c19025872", "protected": \(protected)},
             "runner_info": {"timeout": 600}, "variables": [], "image": \(named),
             "steps": [{"name": "script", "script": ["make"], "timeout": 600, "when": "on_success"}]}
            """
        guard case .job(let job) = try Payload.read(Array(document.utf8)) else { throw Unread() }
        return job
    }

    private struct Unread: Error {}

    private static func rule(images: [String] = [], protectedOnly: Bool = false) -> RunnerRule {
        RunnerRule(
            registration: RunnerRegistration(
                tags: ["bulkhead"], runUntagged: false, own: false, protectedOnly: protectedOnly),
            shape: RunnerShape(
                image: "shop/base", platform: .linuxAmd64, profile: .strict,
                resources: Resources(cpuMillis: 1000, memoryBytes: 1 << 28, pids: 64, diskBytes: 1 << 26),
                untrustedSteps: false, gpus: nil),
            images: images, timeoutSeconds: 300, priority: 7)
    }

    /// Why it cannot run here; nil: it can.
    private static func sentence(_ job: GitLabJob, _ rule: RunnerRule) throws -> String? {
        do throws(JobUnfit) {
            _ = try TranslatedJob(job, rule, of: "shop")
            return nil
        } catch {
            return error.sentence
        }
    }

    @Test func theRuleSaysWhatTheJobDoesNot() throws {
        let plain = try TranslatedJob(try Self.job(), Self.rule(), of: "shop").definition
        #expect(plain.spec.shape.image == "shop/base" && plain.spec.timeoutSeconds == 300)
        #expect(plain.schedule.priority == 7 && plain.project == "shop")
        let named = try TranslatedJob(try Self.job(image: "debian:12"), Self.rule(), of: "shop").definition
        #expect(named.spec.shape.image == "debian:12" && named.spec.shape.profile == .strict)
    }

    @Test(arguments: [
        (["shop/base", "debian:12"], "debian:12", true), (["shop/base", "debian:12"], "debian:11", false),
        (["shop/base"], "shop/base:latest", false), (["shop/*"], "shop/build:1", true),
        (["shop/*"], "evil/shop/build:1", false), (["shop/base"], nil, true), ([], "debian:11", true),
    ]) func onlyImagesOfTheRule(_ images: [String], _ image: String?, _ runs: Bool) throws {
        let said = try Self.sentence(try Self.job(image: image), Self.rule(images: images))
        let why = image.map {
            "its image '\($0)' is not one of those that the project's rules name (`images` of its `gitlab_runner`)"
        }
        #expect(said == (runs ? nil : why))
    }

    @Test(arguments: [true, false], [true, false])
    func onlyProtectedRefs(_ protectedOnly: Bool, _ isProtected: Bool) throws {
        let said = try Self.sentence(try Self.job(protected: isProtected), Self.rule(protectedOnly: protectedOnly))
        #expect((said == nil) == (isProtected || !protectedOnly))
        if let said { #expect(said.contains("not protected") && said.contains("`protected_only`")) }
    }
}
