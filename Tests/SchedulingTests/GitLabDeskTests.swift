// Jobs of GitLab's in schedulerd: on disk before GitLab's side hears that we have them, run once, and told until
// GitLab has their end.

import Link
import Posix
import Scheduling
import Store
import Testing
import Wire

@Suite struct GitLabDeskTests {
    private static func apply(
        _ house: House, tags: String = "bulkhead", own: Bool = false, more: String = ""
    ) throws {
        let document = """
            {"name": "shop", "forge": {"kind": "gitlab"}, "repository": {"id": 4711, "path": "acme/shop"},
             "default_branch": "main", "gitlab_runner": {"tags": ["\(tags)"],
             "registration": "\(own ? "runner" : "pool")", "image": "busybox", "platform": "linux/amd64", \(more)
             "resources": {"cpus": 1, "memory": "64MiB"}}}
            """
        _ = try house.call(
            SchedulerEdge.ApplyProject(
                token: Samples.token, order: Samples.order, document: Array(document.utf8)))
    }

    private static func house(own: Bool = false, maxRunners: Int = 2) throws -> House {
        let house = try House(maxRunners: maxRunners) { $0.cpuPercent = 1000 }
        try apply(house, own: own)
        try house.run("GitLab is asked") { !house.courier.runnerAsks.isEmpty }
        return house
    }

    private static func runner(_ id: UInt64, own: Bool = false) -> GitLabRunnerWord {
        GitLabRunnerWord(
            project: "shop", url: "https://gitlab.com",
            registration: RunnerRegistration(tags: ["bulkhead"], runUntagged: false, own: own, protectedOnly: false),
            id: id, token: [UInt8](repeating: 1, count: 40), obtainedMs: 1, expiresMs: 0, generation: 1, issuedMs: 1,
            mac: Bytes32(5, 5, 5, 5))
    }

    private static func given(_ number: UInt64, uploads: Int = 0) -> CourierEdge.GivenJob {
        var definition = Samples.definition("job-\(number)")
        definition.project = "shop"
        definition.spec.artifacts = Array(
            repeating: ArtifactRule(paths: ["out"], exclude: [], when: .onSuccess), count: uploads)
        let upload = GitLabUpload(name: "out", kind: "archive", format: .zip, expireIn: "")
        let about = KeptJob(
            job: number, commit: "", protected: true, subject: "gitlab:1",
            uploads: Array(repeating: upload, count: uploads), before: [], reasons: [], secrets: [],
            definition: Bytes32(1, 2, 3, 4))
        return .init(
            definition: definition,
            word: GitLabJobWord(
                project: "shop", url: "https://gitlab.com", rule: Bytes32(7, 7, 7, 7), about: about,
                values: [SealedValue(bytes: [UInt8](repeating: 2, count: 40))],
                generation: 1, issuedMs: 1, mac: Bytes32(6, 6, 6, 6)))
    }

    /// A house whose job runs.
    private static func running(_ number: UInt64, uploads: Int = 0) throws -> (House, Attempt) {
        let house = try house()
        house.courier.bring(.job(given(number, uploads: uploads)))
        try house.run("its runner is told") { !house.relay.jobs.isEmpty }
        let attempt = try #require(house.relay.jobs.keys.first)
        house.relay.begin(attempt)
        try house.run("GitLab sees its log") { house.courier.logsShown == [number] }
        return (house, attempt)
    }

    @Test func aTokenIsOnDiskBeforeItIsUsed() throws {
        let house = try Self.house()
        #expect(house.courier.runnerAsks.last?.known == nil)
        house.courier.bring(.registered(Self.runner(17)))
        try house.run("it is known") { house.courier.runnerAsks.last?.known?.id == 17 }
        try house.restart()
        let asked = house.courier.runnerAsks.count
        try house.run("asked again") { house.courier.runnerAsks.count > asked }
        #expect(house.courier.runnerAsks[asked].known == Self.runner(17))
    }

    @Test func aJobComesOnceAndGoesWithItsEnd() throws {
        let (house, attempt) = try Self.running(90)
        #expect(house.courier.runnerAsks.last?.taken == 90)
        #expect(house.courier.resumed == [false])
        // An answer that was lost, on the way to us.
        house.courier.bring(.job(Self.given(90)))
        house.settle()
        house.relay.finish(attempt, .succeeded)
        try house.run("its end") { house.courier.ends.map(\.end) == [.succeeded] }
        #expect(house.relay.told.count == 1)
        house.courier.say(.accepted, of: 90)
        try house.run("its files go") { house.relay.removedArtifacts == [attempt.job] }
        try house.restart()
        house.settle()
        #expect(house.courier.resumed == [false], "nothing is left to be told")
    }

    @Test func whoeverDiesTheEndIsTold() throws {
        let (house, attempt) = try Self.running(90)
        house.courier.down()
        house.courier.up()
        try house.run("reported anew") { house.courier.resumed == [false, true] }
        try house.run("its log, too") { house.courier.logsShown == [90, 90] }
        try house.restart()
        try house.run("and by another schedulerd") { house.courier.resumed == [false, true, true] }
        house.relay.finish(attempt, .failed)
        try house.run("its end") { house.courier.ends.map(\.end) == [.failed] }
        #expect(house.courier.ends.last?.exitCode == 1)
        try house.restart()
        try house.run("said again until GitLab has it") { house.courier.ends.count == 2 }
    }

    /// One row that cannot be read keeps all rules from being read at a start. Applied again, they hold.
    @Test func aJobWaitsUntilTheRulesWereRead() throws {
        let house = try Self.house()
        house.courier.slow = ["prepare"]
        house.courier.bring(.job(Self.given(90)))
        try house.run("it is taken") { house.courier.count("prepare") == 1 }
        try house.patch("UPDATE projects SET revision = x'00'")
        try house.restart()
        try house.run("it is taken up") { house.courier.resumed == [false, true] }
        house.settle()
        #expect(house.courier.ends.isEmpty, "nobody knows yet that its project has no runner")
        #expect(house.courier.count("prepare") == 1)
        try Self.apply(house)
        try house.run("its runner is told") { !house.relay.jobs.isEmpty }
    }

    @Test func filesGoBeforeTheEnd() throws {
        let (house, attempt) = try Self.running(90, uploads: 2)
        house.relay.left = [1]
        house.relay.finish(attempt, .succeeded)
        try house.run("its end") { !house.courier.ends.isEmpty }
        #expect(house.courier.artifacts.map(\.rule) == [1], "the first rule left none")
        #expect(house.courier.ends.first?.text == "Bulkhead: artifacts 'out': none: no file fits this rule")
        let order = house.courier.calls.filter { ["artifact", "end"].contains($0) }
        #expect(order == ["artifact", "end"])
    }

    @Test func filesThatAreLostAreNoSuccess() throws {
        let (house, attempt) = try Self.running(90, uploads: 1)
        house.relay.left = [0]
        house.courier.refusals["artifact"] = Failure(.tooLarge, "GitLab does not take them")
        house.relay.finish(attempt, .succeeded)
        try house.run("its end") { house.courier.ends.map(\.end) == [.unreachable] }
        #expect(house.courier.ends.first?.text.contains("GitLab does not take them") == true)
    }

    @Test(arguments: [(CourierEdge.ReportWord.cancel, true), (.abort, false)])
    func gitlabCancels(_ word: CourierEdge.ReportWord, _ isTold: Bool) throws {
        let (house, attempt) = try Self.running(90)
        house.courier.say(word, of: 90)
        try house.run("its runner is asked to end") { house.relay.cancelled == [attempt] }
        #expect(try house.job(attempt.job).cancelGrace == (isTold ? 300 : 0), "its last scripts have five minutes")
        if isTold {
            house.relay.finish(attempt, .cancelled)
            try house.run("its end") { house.courier.ends.map(\.end) == [.cancelledThere] }
        } else {
            house.courier.say(.gone, of: 90)
            house.relay.finish(attempt, .cancelled)
            house.settle()
            #expect(house.courier.ends.isEmpty)
        }
    }

    @Test func whatCannotBePreparedFailsWithItsReason() throws {
        let house = try Self.house()
        house.courier.refusals["prepare"] = Failure(.forgeRefused, "the archive is a bomb")
        house.courier.bring(.job(Self.given(90)))
        try house.run("its end") { house.courier.ends.map(\.end) == [.unreachable] }
        #expect(house.courier.ends.first?.text.contains("the archive is a bomb") == true)
        #expect(house.relay.told.isEmpty)
    }

    @Test func asManyJobsAsThereIsRoomFor() throws {
        let house = try Self.house()
        try house.run("room for two") {
            house.courier.runnerAsks.last?.jobs == 2 || house.courier.rooms.last?.jobs == 2
        }
        let job = try house.submit("of somebody else")
        try house.run("room for one") { house.courier.rooms.last?.jobs == 1 }
        _ = try house.call(SchedulerEdge.CancelJob(token: Samples.token, job: job, graceSeconds: 0))
        try house.run("room for two again") { house.courier.rooms.last?.jobs == 2 }
    }

    @Test func otherTagsAreAnotherRunner() throws {
        let house = try Self.house()
        house.courier.bring(.registered(Self.runner(17)))
        try house.run("it is known") { house.courier.runnerAsks.last?.known?.id == 17 }
        try Self.apply(house, tags: "other")
        try house.run("the old one leaves") { house.courier.left.map(\.known.id) == [17] }
        try house.run("and a new one is made") {
            house.courier.runnerAsks.last?.rule.registration.tags == ["other"]
                && house.courier.runnerAsks.last?.known == nil
        }
    }

    @Test func protectedRefsAloneAreAnotherRunner() throws {
        let house = try Self.house()
        house.courier.bring(.registered(Self.runner(17)))
        try house.run("it is known") { house.courier.runnerAsks.last?.known?.id == 17 }
        try Self.apply(house, more: #""images": ["busybox", "shop/*"],"#)
        try house.run("images are not") {
            house.courier.runnerAsks.last?.rule.images == ["busybox", "shop/*"]
                && house.courier.runnerAsks.last?.known?.id == 17
        }
        try Self.apply(house, more: #""protected_only": true,"#)
        try house.run("the old one leaves") { house.courier.left.map(\.known.id) == [17] }
        try house.run("and a new one is made") {
            house.courier.runnerAsks.last?.rule.registration.protectedOnly == true
                && house.courier.runnerAsks.last?.known == nil
        }
    }

    @Test func aRunnerOfItsOwnGoesWithItsJob() throws {
        let house = try Self.house(own: true)
        house.courier.bring(.registered(Self.runner(17, own: true)))
        try house.run("it is known") { house.courier.runnerAsks.last?.known?.id == 17 }
        house.courier.bring(.job(Self.given(90)))
        try house.run("another one is made") {
            house.courier.runnerAsks.last?.known == nil && house.relay.jobs.count == 1
        }
        let attempt = try #require(house.relay.jobs.keys.first)
        #expect(house.courier.left.isEmpty)
        house.relay.begin(attempt)
        house.relay.finish(attempt, .succeeded)
        try house.run("its end") { !house.courier.ends.isEmpty }
        house.courier.say(.accepted, of: 90)
        try house.run("it has left") { house.courier.left.map(\.known.id) == [17] }
    }

    /// courierd may ask for the last time by the rules of before when brokerd has others already.
    @Test func whatWasDeniedToOldRulesIsNotOfTheNew() throws {
        let house = try Self.house()
        let check = SchedulerEdge.CheckForge(token: Samples.token, project: "shop")
        let denied = CourierEdge.RunnerTrouble(code: ErrorCode.deniedByPolicy.rawValue, text: "another gitlab_runner")
        house.courier.bring(.trouble(denied))
        try house.run("asked again") { house.courier.runnerAsks.count == 2 }
        #expect(try house.call(check).missing.contains { $0.contains("another gitlab_runner") })
        try Self.apply(house, more: #""images": ["busybox"],"#)
        #expect(try house.call(check).missing.allSatisfy { !$0.contains("another gitlab_runner") })
    }

    /// `bulkhead doctor` says it.
    @Test func whyNoJobsComeIsTold() throws {
        let house = try Self.house()
        house.courier.bring(.trouble(.init(code: ErrorCode.unauthorized.rawValue, text: "it may not create runners")))
        try house.run("asked again") { house.courier.runnerAsks.count == 2 }
        let check = SchedulerEdge.CheckForge(token: Samples.token, project: "shop")
        let lacks = try house.call(check).missing
        #expect(lacks.last == "jobs of GitLab CI do not come: it may not create runners")
        house.courier.bring(.registered(Self.runner(17)))
        try house.run("it is known") { house.courier.runnerAsks.last?.known?.id == 17 }
        #expect(try house.call(check).missing == Array(lacks.dropLast()))
    }
}
