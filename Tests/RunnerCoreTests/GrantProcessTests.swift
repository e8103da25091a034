// The whole runner and its grant: nothing runs before the grant was taken and is gone, and nothing without the right
// one.

import Files
import Link
import Posix
import Processes
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct GrantProcessTests {
    static let use = SecretUse("deploy-key", .variable, "KEY")
    static let canary = "canary-\(Bytes32.random().hex)"
    static let taken = RunnerEdge.Record.grantTaken(RunnerEdge.GrantTaken())
    static let definition = JobDefinition.of(
        .of([Step("use", "touch ran; test \"$KEY\" = '\(canary)' && echo right", secrets: [use])]))

    static func ran(_ child: RunnerChild) -> Bool {
        (try? Posix.lstat(child.directory.path + "/job/src/ran")) != nil
    }

    /// A job that must end before anything ran.
    func refused(_ relay: TestRelay, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let end = try relay.finish()
        #expect(end.state == .failed, sourceLocation: sourceLocation)
        #expect(!Self.ran(relay.child), sourceLocation: sourceLocation)
        #expect(relay.journal.outcomes.allSatisfy { $0 == .skipped }, sourceLocation: sourceLocation)
        return end.reason
    }

    @Test func takenThenWipedThenTheSteps() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(Self.definition)
        try relay.start(Self.definition)  // relayd has connected anew: said twice, done once
        try child.grant(Self.definition, ["deploy-key": Self.canary])
        try relay.run { relay.journal.records.contains(Self.taken) }
        // The grant still lies there, for everybody to read: a step that began now would show itself.
        try relay.call(RunnerEdge.Acknowledge(durable: relay.journal.durable))
        #expect(!Self.ran(child))
        try child.wipe()
        #expect(try relay.finish().state == .succeeded)
        #expect(relay.journal.text == "right\n")
        #expect(relay.journal.records.first == Self.taken)
        #expect(relay.journal.records.count { $0 == Self.taken } == 1)
    }

    @Test func aRunnerWithoutAKeyLeaves() throws {
        let none = try RunnerChild(withKey: false)
        #expect(try none.wait() == .exited(RunnerProgram.noKeyStatus))
        #expect(none.errors.contains("/grant/key cannot be opened: No such file or directory"))
    }

    /// brokerd overwrites and cuts a key before it removes it.
    @Test func aKeyThatIsBeingWipedIsNone() throws {
        let directory = try TestDirectory()
        let grant = GrantDirectory(directory.path)
        func refusal(_ bytes: [UInt8], mode: UInt32 = 0o444) throws -> String? {
            try Posix.replaceFile(directory.path + "/key", with: bytes, mode: mode)
            do throws(Refusal) {
                _ = try grant.takeKey()
                return nil
            } catch {
                return error.description
            }
        }
        #expect(try refusal([UInt8](repeating: 7, count: 32)) == nil)
        #expect(try refusal([UInt8](repeating: 7, count: 31))?.hasSuffix("/key is cut") == true)
        #expect(try refusal([UInt8](repeating: 7, count: 33))?.hasSuffix("wiped") == true)
        #expect(try refusal([UInt8](repeating: 0, count: 32))?.hasSuffix("wiped") == true)
        if Posix.userID == 0 { #expect(try refusal([UInt8](repeating: 7, count: 32), mode: 0o600) != nil) }
        #expect(!grant.isEmpty)
        try Posix.unlink(directory.path + "/key")
        #expect(grant.isEmpty)
        #expect(!GrantDirectory(directory.path + "/missing").isEmpty, "not to see is not to see that it is empty")
    }

    @Test func noStepWhileTheKeyIsStillThere() throws {
        let child = try RunnerChild(["wipe=300"])
        child.wipesKey = false
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("plain", "touch ran")]))
        #expect(try refused(relay) == "the grant was not wiped")
    }

    /// The control of the test above: the same job, and the key goes while it waits.
    @Test func theStepBeginsWhenTheKeyGoes() throws {
        let child = try RunnerChild()
        child.wipesKey = false
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("plain", "touch ran")]))
        #expect(!Self.ran(child))
        try child.wipe()
        #expect(try relay.finish().state == .succeeded)
        #expect(Self.ran(child))
    }

    @Test func aGrantThatIsNeverWiped() throws {
        let child = try RunnerChild(["wipe=300"])
        let relay = try TestRelay(child)
        try relay.attach()
        try child.grant(Self.definition, ["deploy-key": Self.canary])
        try relay.start(Self.definition)
        #expect(try refused(relay) == "the grant was not wiped")
        #expect(relay.journal.records.contains(Self.taken))
    }

    @Test func aGrantThatNeverComes() throws {
        let relay = try TestRelay(RunnerChild(["arrival=300"]))
        try relay.attach()
        try relay.start(Self.definition)
        #expect(try refused(relay) == "the grant did not come within 300ms")
    }

    @Test func cancelAndTimeoutWhileItWaits() throws {
        let first = try TestRelay(RunnerChild())
        try first.attach()
        try first.start(Self.definition)
        try first.call(RunnerEdge.Cancel(graceSeconds: 10))
        #expect(try first.finish().state == .cancelled)
        let second = try TestRelay(RunnerChild())
        try second.attach()
        try second.start(.of(.of(Self.definition.spec.steps, timeout: 1)))
        #expect(try second.finish().state == .timedOut)
    }

    @Test func anotherJobsGrant() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        // relayd says other steps than those that the ticket was for.
        var changed = Self.definition
        changed.spec.steps[0].run = "touch ran; echo $KEY | rev"
        try child.grant(Self.definition, ["deploy-key": Self.canary])
        try relay.start(changed)
        #expect(try refused(relay).hasPrefix("the grant is for the definition "))
        #expect(!relay.journal.records.contains(Self.taken))
    }

    @Test func aDamagedGrant() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(Self.definition)
        try child.grant([UInt8](repeating: 1, count: 200))
        #expect(try refused(relay) == "the grant is damaged, or sealed for another runner")
    }

    /// What brokerd is wiping at this moment is not a damaged grant: it will come again.
    @Test(.enabled(if: Posix.userID == 0, "reads what only root may"))
    func aGrantInTheMiddleOfItsWiping() throws {
        let directory = try TestDirectory()
        let grant = GrantDirectory(directory.path)
        try Posix.replaceFile(directory.path + "/grant", with: [1, 2, 3], mode: 0o600)
        #expect(grant.sealedGrant() == nil)
        try Posix.chmod(directory.path + "/grant", 0o444)
        #expect(grant.sealedGrant() == [1, 2, 3])
    }

    /// /proc shows the arguments of PID 1 to everybody, and with its id one could speak as relayd.
    @Test func theRunnersIdIsNotInProc() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("look", "tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' ' ' < /proc/$$/cmdline")]))
        _ = try relay.finish()
        #expect(relay.journal.text.contains("runner-fixture"))
        #expect(relay.journal.text.contains("tr '\\0'"), "the control: of itself it sees the arguments")
        #expect(!relay.journal.text.contains(child.runner.hex))
    }

    /// Root on the host may look: during the job the value is in the runner's memory, afterwards it is not.
    @Test(.enabled(if: Posix.userID == 0, "reads another process's memory"))
    func nothingIsLeftInTheRunnersMemory() throws {
        let child = try RunnerChild()
        let relay = try TestRelay(child)
        try relay.attach()
        let file = SecretUse("deploy-key", .file, "KEY_FILE")
        let run = "echo up; while ! test -e go; do sleep 0.01; done"
        let definition = JobDefinition.of(
            .of([Step("wait", run, secrets: [Self.use, file]), Step("more", "true", secrets: [file])]))
        let key = String(decoding: child.key, as: UTF8.self)
        #expect(try Memory.count(of: key, bytes: child.key, in: child.pid) == 1)
        try child.grant(definition, ["deploy-key": Self.canary])
        try relay.start(definition)
        try relay.run { relay.journal.records.contains(Self.taken) }
        #expect(try Memory.count(of: key, bytes: child.key, in: child.pid) == 0)
        try child.wipe()
        try relay.run { relay.journal.text == "up\n" }
        // Once, for the steps to come: neither the environment's nor the file's copy is there any more.
        #expect(try Memory.count(of: Self.canary, in: child.pid) == 1)
        try child.directory.write("job/src/go", "")
        #expect(try relay.finish().state == .succeeded)
        #expect(try Memory.count(of: Self.canary, in: child.pid) == 0)
    }
}
