// What becomes of a payload: a job in our words, or a sentence.

import Exchange
import ForgeModel
import Foundation
import GitLabRunner
import Testing

@Suite struct PayloadTests {
    @Test func aJobIsRead() throws {
        let job = try Recorded("complete").job()
        let bare = try Recorded("complete").setting("variables.3.key", to: "GIT_STRATEGY")
            .setting("variables.3.value", to: "none").job()
        #expect(bare.source == nil && bare.isProtected, "its branch is what it is")
        #expect((job.handle.id, job.name, job.stage, job.pipeline) == (10, "test unit", "test", 2301))
        #expect((job.project, job.projectPath, job.timeout) == (15, "harbour/yard/ship", 3600))
        let source = try #require(job.source)
        #expect(source.commit.hex == "91956efe32fb7bef54f378d90c9bd74c19025872")
        #expect((source.reference, source.isTag, job.isProtected, source.refspecs.count) == ("main", false, true, 2))
        #expect(job.image == "registry.example/grace/debian:12")
        #expect(job.maskPrefixes == ["glpat-", "glcbt-"])
    }

    @Test func stepsAreScripts() throws {
        let steps = try Recorded("complete").job().steps
        #expect(steps.map(\.name) == ["script", "after_script"])
        #expect(steps.map(\.when) == [.onSuccess, .always])
        #expect(steps.map(\.allowFailure) == [false, true])
        #expect(steps.map(\.timeout) == [3600, 300])
        #expect(
            steps[0].script == """
                (set -o pipefail) 2>/dev/null && set -o pipefail
                printf '%s\\n' '$ echo before'
                echo before
                printf '%s\\n' '$ make test'
                make test
                printf '%s\\n' '$ echo '\\''it'\\'''\\''s done'\\'''
                echo 'it''s done'

                """)
    }

    @Test func whatIsSecretStandsApart() throws {
        let job = try Recorded("complete").job()
        let plain = Dictionary(uniqueKeysWithValues: job.variables.map { ($0.name, $0.value) })
        let secret = Dictionary(uniqueKeysWithValues: job.secrets.map { ($0.name, $0) })
        #expect(plain["GREETING"] == "Hello grace of harbour/yard/ship")
        #expect(plain["WHO"] == "grace")
        #expect(plain["COST"] == "$$5 and $WHO")
        #expect(plain["CACHE_DIR"] == "/job/src/.cache")
        #expect((plain["CI_PROJECT_DIR"], plain["CI_SERVER"]) == ("/job/src", "yes"))
        #expect(
            Set(secret.keys) == [
                "CI_JOB_TOKEN", "CI_REPOSITORY_URL", "DATABASE_PASSWORD", "DATABASE_URL", "DEPLOY_KEY", "MODE",
            ])
        // Made of a secret, though GitLab calls it public.
        #expect(secret["DATABASE_URL"]?.value == SecretText("postgres://app:s3cr3t-pa55word@db/app"))
        #expect(secret["DATABASE_URL"]?.isMasked == true)
        #expect(secret["DEPLOY_KEY"]?.isFile == true)
        #expect((secret["MODE"]?.isMasked, secret["CI_JOB_TOKEN"]?.isMasked) == (false, true))
    }

    @Test(arguments: Recorded.names) func noSecretIsPrinted(_ name: String) throws {
        let job = try Recorded(name).job()
        let printed = "\(job)" + String(reflecting: job)
        #expect(printed.contains(job.name))
        for secret in ["s3cr3t-pa55word", "BEGIN KEY", "glcbt-64_", "oldtoken1234"] {
            #expect(!printed.contains(secret), "\(secret)")
        }
    }

    @Test func aJobTokenIsSecretWhateverIsSaid() throws {
        let job = try Recorded("merge_request").setting("variables.1.public", to: true)
            .setting("variables.1.masked", to: false).job()
        #expect(job.secrets.map(\.name) == ["CI_JOB_TOKEN"])
        #expect(job.secrets.map(\.isMasked) == [true])
    }

    @Test func filesAndJobsBefore() throws {
        let job = try Recorded("complete").job()
        #expect(
            job.artifacts == [
                ArtifactRule(
                    name: "main", paths: ["out/", "/log"], exclude: ["out/*.tmp"], when: .always, type: "archive",
                    format: .zip, expireIn: "30 days"),
                ArtifactRule(
                    name: "junit.xml", paths: ["report.xml"], exclude: [], when: .always, type: "junit", format: .gzip,
                    expireIn: nil),
            ])
        #expect(job.artifacts.map(\.fileName) == ["main.zip", "junit.xml.gz"])
        // One that left nothing behind is not asked for it.
        #expect(job.dependencies.map(\.name) == ["build"])
        #expect(job.dependencies[0].size == 2048)
    }

    @Test func anOldGitLabSaysLess() throws {
        let job = try Recorded("oldest").job()
        #expect((job.image, job.handle.reasons, job.source?.isTag, job.timeout) == (nil, nil, true, 600))
    }

    @Test func changesHaveTheirReference() throws {
        let job = try Recorded("merge_request").job()
        #expect((job.source?.reference, job.isProtected) == ("refs/merge-requests/5/head", false))
        #expect(try Recorded("merge_request").setting("variables.3.value", to: "none").job().source == nil)
    }

    // MARK: what is not here

    static let unsupported: [(path: String, value: String, words: String)] = [
        ("services", #"[{"name":"postgres:16"}]"#, "services (postgres:16)"),
        ("cache", #"[{"key":"default","paths":["x"]}]"#, "a cache (default)"),
        ("secrets", #"{"X":{"vault":{}, "file":true}}"#, "external vault"),
        ("hooks", #"[{"name":"pre_get_sources_script","script":["x"]}]"#, "hooks"),
        ("run", #""[{\"name\":\"hello\"}]""#, "`run:`"), ("inputs", #"[{"key":"a","value":1}]"#, "job inputs"),
        ("telepathy", "true", "`telepathy`"), ("image.entrypoint", #"["/bin/x"]"#, "entrypoint of its own (/bin/x)"),
        ("image.executor_opts", #"{"docker":{"user":"root"}}"#, "executor options"),
        ("image.pull_policy", #"["never"]"#, "a pull policy"), ("image.ports", "[80]", "ports"),
        ("image.name", #""x/$DATABASE_PASSWORD""#, "the image is made of a variable that is not public"),
        ("image.name", #""$DEPLOY_KEY""#, "names the file variable DEPLOY_KEY"),
        ("steps.0.when", #""sometimes""#, "steps[0].when is sometimes"), ("steps", "[]", "no script"),
        ("artifacts.0.untracked", "true", "untracked"), ("artifacts.0.artifact_format", #""tar""#, "archive as tar"),
        ("artifacts.0.when", #""never""#, "artifacts[0].when is never"),
        ("artifacts.0.paths.0", #""$MODE""#, "a path of its artifacts is made of"),
        ("variables.9", #"{"key":"GIT_SUBMODULE_STRATEGY","value":"recursive"}"#, "submodules"),
        ("variables.9", #"{"key":"GIT_STRATEGY","value":"weird"}"#, "GIT_STRATEGY is weird"),
        ("variables.9", #"{"key":"GIT_CHECKOUT","value":"false"}"#, "no checkout"),
        ("variables.9", #"{"key":"GIT_CLONE_PATH","value":"/x"}"#, "GIT_CLONE_PATH"),
        ("variables.9", #"{"key":"1A","value":"x"}"#, "the variable 1A"),
        ("variables.9", #"{"key":"BULKHEAD_X","value":"x"}"#, "the variable BULKHEAD_X"),
        ("variables.9", #"{"key":"P","value":"a $DEPLOY_KEY","public":true}"#, "names the file variable"),
        ("runner_info.timeout", "604801", "604801 seconds"), ("git_info.ref_type", #""note""#, "a note"),
        ("dependencies.0.artifacts_file.size", "1073741825", "the artifacts of build"),
    ]

    @Test(arguments: unsupported.indices) func whatIsNotHereIsNamed(_ index: Int) throws {
        let (path, text, words) = Self.unsupported[index]
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        let given = try Recorded("complete").setting(path, to: value).read()
        guard case .refused(let job) = given else {
            Issue.record("\(path) \(text) is taken")
            return
        }
        #expect(job.end == .unsupported)
        #expect(job.sentence.contains(words), "\(job.sentence)")
        #expect(FinalState(job.end, listed: job.handle.reasons).reason == "runner_configuration_error")
    }

    @Test(arguments: [
        ("steps.0.script", #""make""#, "steps[0].script is no list"), ("variables", "{}", "variables is no list"),
        ("job_info", "[]", "job_info is no map"), ("job_info.name", "7", "job_info.name is no text"),
        ("git_info.sha", #""main""#, "git_info.sha is no commit"),
        ("steps.0.allow_failure", "1", "is not true or false"),
        ("variables.0.value", #""a\u0000b""#, "NUL"), ("dependencies.0.token", #""a b""#, "is no token"),
        ("image.name", #""a b""#, "has characters"),
    ])
    func whatCannotBeReadIsNamed(_ path: String, _ text: String, _ words: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        guard case .refused(let job) = try Recorded("complete").setting(path, to: value).read() else {
            Issue.record("\(path) \(text) is taken")
            return
        }
        #expect(job.end == .malformed)
        #expect(job.sentence.contains(words), "\(job.sentence)")
    }

    @Test func aKeyThatIsThereTwiceIsRefused() throws {
        let body = String(decoding: try Recorded("oldest").body, as: UTF8.self)
        let twice = body.replacingOccurrences(of: #""image": null"#, with: #""image": null, "Image": {"name":"x"}"#)
        #expect(body != twice)
        let given = Recorded(body: Array(twice.utf8), "twice")
        #expect(try given.sentence()?.hasSuffix("mage is there twice") == true)
    }

    @Test(arguments: [
        "", "[]", "7", "{}", #"{"id":1}"#, #"{"id":-1,"token":"x"}"#, #"{"id":1,"token":"a b"}"#, "{", "\u{0}",
    ])
    func whatHasNoNameIsAnError(_ body: String) {
        #expect(throws: PayloadProblem.self) { try Payload.read(Array(body.utf8)) }
    }

    @Test func boundsHold() throws {
        func refused(_ change: (inout PayloadLimits) -> Void) throws -> Bool {
            var limits = PayloadLimits()
            change(&limits)
            if case .refused = try Recorded("complete").read(limits) { return true }
            return false
        }
        #expect(try !refused { _ in })
        #expect(try refused { $0.variables = 9 })
        #expect(try refused { $0.secrets = 5 })
        #expect(try refused { $0.scriptBytes = 100 })
        #expect(try refused { $0.steps = 1 })
        #expect(try refused { $0.rules = 1 })
        #expect(try refused { $0.valueBytes = 40 })
        #expect(try refused { $0.imageBytes = 20 })
        #expect(try refused { $0.secretNameBytes = 16 })
    }

    @Test(arguments: Recorded.names) func whateverStandsAnywhereNothingBreaks(_ name: String) throws {
        let recorded = try Recorded(name)
        let hostile: [Any] = [
            NSNull(), true, -1, 1e300, "", "$$$", "${", "a\u{0}b", "${CI_JOB_TOKEN}", [Any](), [String: Any](),
            [[String: Any]()], ["name": "x"],
        ]
        var taken = 0
        for path in try recorded.leaves() {
            for value in hostile {
                let given = try? recorded.setting(path, to: value).read()
                guard case .job(let job)? = given else { continue }
                taken += 1
                // No secret comes into what a definition holds.
                let shown =
                    job.variables.map(\.value) + job.steps.map(\.script) + [job.image ?? ""]
                    + job.artifacts.flatMap { $0.paths + $0.exclude + [$0.name] }
                for secret in job.secrets where secret.isMasked && secret.value.bytes.count > 10 {
                    let text = String(decoding: secret.value.bytes, as: UTF8.self)
                    #expect(!shown.contains { $0.contains(text) }, "\(path): \(secret.name)")
                }
            }
        }
        #expect(taken > 100)
    }
}
