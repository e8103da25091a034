// S3: untrusted steps: another user, and nothing to be had of the runner, of trusted steps and of what they made. Every
// attack is also made where nothing protects, and succeeds there.

import Endpoints
import Files
import Posix
import Processes
import RunnerCore
import Testing
import Wire

@Suite(.serialized, .enabled(if: Posix.userID == 0, "starts processes as other users"))
struct UntrustedStepTests {
    typealias Standing = RunnerChild.Standing
    /// The two containers that have untrusted steps.
    static let containers: [(Standing, Profile)] = [(.threeCapabilities, .strict), (.same, .build)]

    static func run(_ steps: [Step], _ container: (Standing, Profile)) throws -> (Journal, RunnerChild) {
        try SecretStepTests.run(steps, profile: container.1, as: container.0)
    }

    // MARK: - Who they are

    @Test(arguments: containers)
    func usersAndDirectories(standing: Standing, profile: Profile) throws {
        let look = """
            echo $(id -u) $(id -g) $(id -G) $(basename $PWD) $(basename $HOME) $(stat -c %u . "$HOME") \
                $(basename $TMPDIR) $(stat -c '%u %a' "$TMPDIR") $(umask)
            grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status | tr -d '\\n\\t'; echo
            touch mine "$HOME/mine" "$TMPDIR/mine$$" && echo writes

            """
        let (journal, child) = try Self.run(
            [Step("trusted", look), Step("untrusted", look, untrusted: true)], (standing, profile))
        #expect(journal.end?.state == .succeeded, "\(journal.errors)")
        let lines = journal.text.split(separator: "\n").map(String.init)
        try #require(lines.count == 6, "\(lines)")
        let id = profile == .strict ? "1000" : "0"
        #expect(lines[0] == "\(id) \(id) \(id) ci home \(id) \(id) tmp \(id) 700 0077")
        let none = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map { "\($0):0000000000000000" }
        let order = [none[0], none[1], none[2], none[3], "NoNewPrivs:1"].joined()
        #expect(lines[4] == order)
        if profile == .strict { #expect(lines[1] == order) } else { #expect(lines[1] != order) }
        #expect(lines[3] == "2000 2000 2000 src home-untrusted 2000 2000 tmp-untrusted 2000 700 0077")
        #expect(lines[2] == "writes" && lines[5] == "writes")
        #expect(try Posix.lstat(child.directory.path + "/job").mode == 0o755)
    }

    @Test(arguments: containers)
    func theSourceBelongsToThem(standing: Standing, profile: Profile) throws {
        let relay = try TestRelay(RunnerChild(as: standing))
        try relay.attach()
        let run = "stat -c '%u %g' . tools data tools/hello.sh; ./tools/hello.sh; rm data"
        let step = Step("use", run, untrusted: true)
        try relay.start(.of([step], profile: profile), source: RunnerProcessTests.tree)
        try relay.put(RunnerProcessTests.tree)
        #expect(try relay.finish().state == .succeeded, "\(relay.journal.errors)")
        #expect(
            relay.journal.text == String(repeating: "2000 2000\n", count: 4) + "hello from the source\n")
    }

    @Test func aRunnerThatCannotChangeUsersTakesNone() throws {
        let (journal, _) = try SecretStepTests.run([Step("x", "true", untrusted: true)], as: .nobody)
        #expect(
            journal.end?.reason
                == "the job has an untrusted step, and this runner cannot start a step as another user")
    }

    @Test func anUntrustedStepNamesNoSecret() throws {
        let (journal, _) = try Self.run(
            [Step("x", "true", untrusted: true, secrets: [SecretStepTests.asVariable])], Self.containers[0])
        #expect(journal.end?.reason == "step 1 'x' is untrusted and names a secret")
    }

    // MARK: - Attacks on processes

    /// Tries everything on process $1 and says what it could do; killing it last.
    static let attack = """
        set +e
        cat /proc/$1/environ 2>/dev/null | grep -q . && echo environ
        ls /proc/$1/fd/ 2>/dev/null | grep -q . && echo descriptors
        head -c 1 /proc/$1/root/etc/passwd > /dev/null 2>&1 && echo root
        perl -e 'open(M, "<", "/proc/$ARGV[0]/mem") or exit 1; exit 0' $1 2>/dev/null && echo memory
        n=117; test $(uname -m) = x86_64 && n=101  # ptrace; 16 is PTRACE_ATTACH
        perl -e 'exit(syscall($ARGV[0] + 0, 16, $ARGV[1] + 0, 0, 0) == 0 ? 0 : 1)' $n $1 && echo traced
        kill -0 $1 2>/dev/null && echo signal
        kill -9 $1 2>/dev/null && echo killed

        """
    static let everything = "environ descriptors root memory traced signal killed"

    /// A process of this user that does nothing.
    static func victim(_ user: ChildUser) throws -> Int32 {
        var child = ChildSpec(
            executable: "/bin/sleep", arguments: ["sleep", "1000"], environment: ["TOKEN=secret"], user: user)
        child.noNewPrivileges = true
        return try Posix.spawn(child)
    }

    static func end(_ pid: Int32) {
        try? Posix.kill(pid, Signal.kill)
        _ = Posix.wait(pid: pid)
    }

    @Test(arguments: containers)
    func theyReachNeitherTheRunnerNorTrustedProcesses(standing: Standing, profile: Profile) throws {
        let user = profile == .strict ? StepUsers.trusted : ChildUser(uid: 0, gid: 0)
        let trusted = try Self.victim(user)
        defer { Self.end(trusted) }
        let run = "attack() {\n\(Self.attack)}\nattack $PPID; attack \(trusted); echo tried\n"
        let (journal, _) = try Self.run([Step("attack", run, untrusted: true)], (standing, profile))
        #expect(journal.text == "tried\n", "\(journal.errors)")
        #expect(journal.end?.state == .succeeded, "the runner lives")
        #expect(throws: Never.self) { try Posix.kill(trusted, 0) }
    }

    /// The control: between two processes of one user, outside of a runner, all of it works.
    @Test func theAttackWorksWhereNothingProtects() throws {
        let victim = try Self.victim(StepUsers.untrusted)
        defer { Self.end(victim) }
        let output = try Posix.pipe()
        var attacker = ChildSpec(
            executable: "/bin/sh", arguments: ["sh", "-c", Self.attack, "attack", String(victim)],
            environment: ["PATH=/usr/bin:/bin"], stdout: output.second.raw, user: StepUsers.untrusted)
        attacker.noNewPrivileges = true
        let pid = try Posix.spawn(attacker)
        #expect(Posix.wait(pid: pid) != nil)
        let reading = output.keepFirst()
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard case .bytes(let count) = try Posix.read(reading.raw, into: &buffer) else {
            throw HarnessError(description: "silent")
        }
        #expect(String(decoding: buffer[..<count], as: UTF8.self).trimmed == Self.everything)
    }

    // MARK: - Attacks on files

    @Test(arguments: containers)
    func theyChangeNothingOfTrustedSteps(standing: Standing, profile: Profile) throws {
        let attack = """
            set +e; cd ..
            cat home/private 2>/dev/null
            for f in ci/tool ci/new new home/private .secrets/new; do echo evil 2>/dev/null > $f && echo wrote $f; done
            mv ci gone 2>/dev/null && echo moved; rm -rf ci/tool home/private 2>/dev/null; ls .secrets 2>/dev/null
            chmod 777 home 2>/dev/null && echo changed; true
            """
        let make = "echo private > $HOME/private; echo tool > tool; test -r $KEY_FILE && echo made"
        let (journal, _) = try Self.run(
            [
                Step("trusted", make, secrets: [SecretStepTests.asFile]),
                Step("attack", attack + "; echo tried", untrusted: true),
                Step("check", "cat $HOME/private tool; ls | wc -l; echo mine > tool && echo written"),
            ], (standing, profile))
        #expect(journal.end?.state == .succeeded, "\(journal.errors)")
        // The last lines are the control: whom it belongs to reads and writes it.
        #expect(journal.text.trimmed == "made tried private tool 1 written")
    }

    static var hasLandlock: Bool {
        let probe = ChildSpec(
            executable: "/usr/bin/perl", arguments: ["perl", "-e", "exit(syscall(444, 0, 0, 1) > 0 ? 0 : 1)"])
        guard let pid = try? Posix.spawn(probe) else { return false }
        return Posix.wait(pid: pid) == .exited(0)
    }

    /// A directory that everybody may write, outside of the four places: a step that is not confined does.
    @Test(.enabled(if: hasLandlock, "the kernel has no Landlock"), arguments: containers)
    func theyWriteInTheirPlacesOnly(standing: Standing, profile: Profile) throws {
        let child = try RunnerChild(as: standing)
        let open = child.directory.path + "/open"
        try Posix.mkdir(open, mode: 0o777)
        try Posix.chmod(open, 0o777)
        let attempt = """
            set +e
            for d in . "$HOME" "$TMPDIR" '\(child.directory.path)/tmp' /dev/shm '\(open)'; do
                f="$d/probe-$$"
                { echo x > "$f"; } 2>/dev/null && echo wrote $(basename "$d"); rm -f "$f" 2>/dev/null
            done
            { echo > /dev/null; } && ls '\(open)' > /dev/null && echo reads

            """
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(
            .of([Step("attack", attempt, untrusted: true), Step("control", attempt)], profile: profile))
        #expect(try relay.finish().state == .succeeded, "\(relay.journal.errors)")
        let places = "wrote . wrote home-untrusted wrote tmp-untrusted wrote tmp wrote shm reads"
        let all = "wrote . wrote home wrote tmp wrote tmp wrote shm wrote open reads"
        #expect(relay.journal.text.trimmed == places + " " + all)
    }

    /// Not in their own places, and not in /tmp, which both have.
    @Test(arguments: containers)
    func theyReadNothingThatTrustedStepsMake(standing: Standing, profile: Profile) throws {
        let make = """
            for d in "$TMPDIR" "$HOME" "$HOME/../../tmp" .; do
                echo private > $d/made; mkdir $d/made-inner; echo private > $d/made-inner/f
            done
            """
        let look = """
            set +e
            for d in ../ci ../home ../tmp ../../tmp; do
                cat $d/made $d/made-inner/f 2>/dev/null; cat $d/shown 2>/dev/null
            done; true
            """
        let (journal, _) = try Self.run(
            [
                Step("trusted", make + "; umask 022; echo shown > $HOME/../../tmp/shown"),
                Step("attack", look, untrusted: true),
                Step("control", "cd ../src; \(look)"),
            ], (standing, profile))
        #expect(journal.end?.state == .succeeded, "\(journal.errors)")
        // In the same place: what was made by another mask, and (last) what their own user reads.
        let own = String(repeating: " private private", count: 4)
        #expect(journal.text.trimmed == "shown" + own + " shown")
    }

    /// What they prepare in their own places is in none where a trusted step looks by itself.
    @Test(arguments: containers)
    func theyPrepareNothingForTrustedSteps(standing: Standing, profile: Profile) throws {
        let plant = "for d in \"$TMPDIR\" \"$HOME\" .; do echo evil > $d/.profile; done; cat \"$TMPDIR/.profile\""
        let (journal, _) = try Self.run(
            [
                Step("plant", plant, untrusted: true),
                Step("look", "ls -A . \"$HOME\" \"$TMPDIR\" | grep -c profile || true"),
            ], (standing, profile))
        #expect(journal.end?.state == .succeeded, "\(journal.errors)")
        #expect(journal.text.trimmed == "evil 0")
    }

    // MARK: - What they leave

    /// R5: System V objects that everybody may use, from either to the other.
    @Test(arguments: containers)
    func sharedMemoryAndQueuesAreGone(standing: Standing, profile: Profile) throws {
        let child = try RunnerChild(as: standing, asInit: true)
        let relay = try TestRelay(child)
        try relay.attach()
        let make = "perl -e 'defined or die $! for shmget(66, 64, 01666), msgget(66, 01666), semget(66, 1, 01666)'"
        let names = "map { defined ? 1 : 0 } shmget(66, 0, 0), msgget(66, 0), semget(66, 0, 0)"
        let look = "perl -e 'print join(\" \", \(names)), \"\\n\"'"
        try relay.start(
            .of(
                [
                    Step("plant", "\(make); \(look)", untrusted: true), Step("look", look),
                    Step("trusted plants", "\(make); \(look)"), Step("look", look, untrusted: true),
                ], profile: profile))
        #expect(try relay.finish().state == .succeeded, "\(relay.journal.errors)")
        // While the step ran, another process saw them: the control.
        #expect(relay.journal.text == "1 1 1\n0 0 0\n1 1 1\n0 0 0\n")
        try relay.call(RunnerEdge.Quit())
        #expect(try child.wait() == .exited(0), "the runner is itself again")
    }

    /// Out of the session, twice forked, deaf to signals, holding the output: gone all the same, though it is another
    /// user's.
    @Test(arguments: [false, true], containers)
    func whatTheyLeaveIsGone(asInit: Bool, container: (Standing, Profile)) throws {
        let child = try RunnerChild(as: container.0, asInit: asInit)
        let relay = try TestRelay(child)
        try relay.attach()
        let find = "ps -e -o args= | grep '^sleep 4242'"
        let leave = """
            trap '' TERM HUP
            setsid sh -c 'trap "" TERM HUP; (trap "" TERM HUP; echo left; exec sleep 4242) & exit 0' &
            until \(find) -q; do sleep 0.01; done; echo there
            """
        let look = "\(find) -c || true"
        try relay.start(
            .of(
                [
                    Step("leave", leave, untrusted: true), Step("look", look),
                    Step("trusted leaves", leave), Step("look", look, untrusted: true),
                ], profile: container.1))
        #expect(try relay.finish().state == .succeeded, "\(relay.journal.errors)")
        // While the step ran it was there: the control.
        #expect(relay.journal.text.replacing("left\n", with: "").trimmed == "there 0 there 0")
    }
}
