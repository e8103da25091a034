"""The walls, each with one small change that takes it away and the test that has to notice. `mutants.py` makes the changes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutant:
    name: str
    what: str  # is taken away
    by: str  # BundleTests/test for a test in Swift, else a command
    file: str
    old: str  # is there once
    new: str

    @property
    def linked(self):
        """The targets that the test runs: what is changed in one of these, or below, it can see."""
        if self.by.startswith("Tests/Sandbox/"):
            return ("sandbox-victim",)
        if self.by in HOUSE_TESTS:
            return HOUSE
        if self.by == SIMULATION:
            return ("simulate",)
        return () if self.by.startswith("Tests/") else (self.by.partition("/")[0],)

    @property
    def test(self):
        return test([self.by])


# The tests that start a whole house on an engine, and what comes before each. A few jobs show a leak as well as many.
HOUSE_TESTS = {
    "Tests/Security/test_canary.py":
        "Tests/Engine/engine.sh start && Tests/Engine/images.sh && "
        "BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find) BULKHEAD_CANARY_JOBS=10",
    "Tests/Security/test_takeover_gitlab.py":
        "Tests/Engine/engine.sh start && Tests/Engine/images.sh && BULKHEAD_ENGINE=$(Tests/Engine/engine.sh find)",
}
HOUSE = ("bulkhead", "bulkhead-apid", "bulkhead-schedulerd", "bulkhead-spawnerd", "bulkhead-brokerd", "bulkhead-relayd",
         "bulkhead-courierd", "bulkhead-runner")


SIMULATION = "Tests/Simulation/simulate.sh --seeds 1000"


def test(by):
    """The command that runs these: a command, or tests in Swift of one bundle."""
    if by[0] in HOUSE_TESTS:
        return f"{HOUSE_TESTS[by[0]]} python3 {by[0]} -f"
    if by[0].startswith("Tests/"):
        return f"python3 {by[0]} -f" if ".py" in by[0] else by[0]
    filters = (f"--filter '^{bundle}\\..*/{name}\\('" for bundle, _, name in (one.partition("/") for one in by))
    return f"swift test -c release --disable-testable-imports --skip-build {' '.join(filters)}"


SPAWNER = "Sources/Spawner/"
LINK = "Sources/Wire/Link/"
WIRE = "Sources/Wire/Wire/"
BASE = "Sources/Base/"
BROKER = "Sources/Broker/Brokering/"
VAULT = "Sources/Broker/Vault/"
RUNNER = "Sources/Runner/RunnerCore/"
RELAY = "Sources/Relay/"
SCHEDULER = "Sources/Scheduler/"
API = "Sources/API/APIServer/"
UNITS = "systemd/"

# What a container may be, and that it is what was asked for.
CONTAINERS = [
    Mutant("no-new-privileges", "the container's no_new_privs", "SpawningTests/theBodyIsTheGoldenOne",
           SPAWNER + "DockerRuntime/ContainerSpec.swift",
           '.list([.text("no-new-privileges"), .text("seccomp=\\(plan.seccomp)")])', '.list([.text("seccomp=\\(plan.seccomp)")])'),
    Mutant("capabilities-dropped", "CapDrop of the container", "SpawningTests/theBodyIsTheGoldenOne",
           SPAWNER + "DockerRuntime/ContainerSpec.swift", '"CapDrop": .list([.text("ALL")])', '"CapDrop": .list([])'),
    Mutant("masked-paths", "the masked paths of /proc and /sys", "SpawningTests/theBodyIsTheGoldenOne",
           SPAWNER + "DockerRuntime/ContainerSpec.swift", ".list(plan.maskedPaths.map(EngineJSON.text))", ".list([])"),
    Mutant("compared-fields", "the host side is compared with the plan", "SpawningTests/everyLeafThatDiffersIsFound",
           SPAWNER + "DockerRuntime/ContainerSpec.swift",
           '"Config": .object(config), "HostConfig": .object(hostConfig),', '"Config": .object(config),'),
    Mutant("verified-before-start", "the comparison before the start", "SpawningTests/aMismatchIsRemovedAndNeverStarted",
           SPAWNER + "Spawning/RunnerStart.swift", "self.prepare(bound, .nextExit, verify: true)",
           "self.prepare(bound, .nextExit, verify: false)"),
    Mutant("user-namespaces", "an engine without user namespaces is refused", "SpawningTests/anEngineWithoutUserNamespacesIsRefused",
           SPAWNER + "Spawning/RunnerStart.swift", "guard host.userNamespaces || self.service", "guard host.cpus > 0 || self.service"),
    Mutant("grant-in-one-container", "a grant is in one container", "SpawningTests/aGrantIsInOneContainer",
           SPAWNER + "Spawning/GrantFence.swift", "holders[grant, default: runner] == runner, ", ""),
    Mutant("image-volumes", "an image that declares volumes is refused", "SpawningTests/imagesAreWeighed",
           SPAWNER + "SpawnPolicy/ImageFacts.swift", "guard image.volumes.isEmpty else", "guard image.volumes.count < 1000 else"),
    Mutant("resource-ceiling", "the site's largest runner", "SpawningTests/eachResourceHasBothBounds",
           SPAWNER + "SpawnPolicy/SpawnPolicy.swift", " || bound.asked > bound.most {", " {"),
    Mutant("seccomp-default", "what the job's filter does not name is refused", "SpawningTests/theFilterIsJSONAndDeniesByDefault",
           SPAWNER + "SpawnPolicy/JobSeccomp.swift", '{"defaultAction":"SCMP_ACT_ERRNO"', '{"defaultAction":"SCMP_ACT_ALLOW"'),
    Mutant("device-in-one-container", "a device is in one container", "SpawningTests/aDeviceIsInOneContainer",
           SPAWNER + "Spawning/DeviceFence.swift", "holders[$0, default: [runner]] == [runner]", "!$0.isEmpty"),
    Mutant("device-known", "a device is one of the inventory", "SpawningTests/everythingElseIsDenied",
           SPAWNER + "SpawnPolicy/RunnerDevices.swift", "if found.count != asked.count {", "if found.count > asked.count {"),
    Mutant("device-numbers", "a node is the device that the kernel speaks of", "SpawningTests/aNodeIsWhatItsNumbersSay",
           SPAWNER + "Devices/RenderNodes.swift", 'guard try tree.text(numbers) == "', 'guard try tree.text(numbers) != "x'),
    Mutant("tree-beneath", "no link leads out of the host's tree", "SpawningTests/linksDoNotLeadOut",
           SPAWNER + "CHostTree/hosttree.c", "BENEATH | NO_MAGIC_LINKS}", "NO_MAGIC_LINKS}"),
    Mutant("platform-known", "a platform is the host's own or emulated", "SpawningTests/aPlatformIsTheHostsOwnOrEmulated",
           SPAWNER + "Spawning/RunnerPlan+Host.swift", "guard platforms.contains(platform) else", "guard !platforms.isEmpty else"),
    Mutant("emulator-held", "the kernel holds an emulator open", "SpawningTests/emulatorsNeedToBeHeldByTheKernel",
           SPAWNER + "Devices/Emulators.swift", '.contains("F")', '.contains("P")'),
]

# What may be said between two processes.
EDGES = [
    Mutant("peer-uid", "the caller's user is asked of the kernel", "LinkTests/otherUsersAreRefused",
           LINK + "LinkServer.swift", "peer.uid == peerUID else", "peer.uid < .max else"),
    Mutant("phase-table", "what may be asked in which phase", "LinkTests/phases",
           LINK + "Session+Receive.swift", "guard edge.permits(rule, in: phase) else",
           "guard edge.permits(rule, in: phase) || isReady else"),
    Mutant("asking-side", "who may ask what", "LinkTests/badAnswersAreNamed",
           LINK + "Session+Receive.swift", "guard edge.rules[rule].from == asker else",
           "guard edge.rules[rule].from == asker || isReady else"),
    Mutant("descriptor-count", "as many descriptors as the schema says", "LinkTests/violationIsNamed",
           LINK + "Session+Receive.swift", "guard count == expected.count else", "guard count >= expected.count else"),
    Mutant("descriptor-kind", "a file that can be written is no file to read", "LinkTests/aFileThatCanBeWrittenIsNotAFileRead",
           LINK + "DescriptorCheck.swift", "readable && !writable\n", "readable || writable\n"),
    Mutant("frame-limit", "the edge's largest frame", "LinkTests/violationIsNamed",
           WIRE + "FrameHeader.swift", "if Int(length) > limit {", "if Int(length) > limit << 8 {"),
    Mutant("trailing-bytes", "nothing behind a message", "LinkTests/violationIsNamed",
           WIRE + "WireMessage.swift", "        try reader.finish()\n", ""),
]

# What a daemon gives up before it listens.
SANDBOXES = [
    Mutant("not-dumpable", "a daemon's memory is closed to its own user", "PosixTests/memoryIsClosedToTheSameUser",
           BASE + "CLinux/confine.c", "prctl(PR_SET_DUMPABLE, 0,", "prctl(PR_SET_DUMPABLE, 1,"),
    Mutant("bounding-set", "all capabilities go, not the first alone", "PosixTests/rootLosesEverything",
           BASE + "Sandbox/Sandbox.swift", "case 0: continue", "case 0: return"),
    Mutant("descriptors-closed", "what a parent left open is closed", "PosixTests/aDaemonIsConfinedRunsAndStopsCleanly",
           BASE + "Daemon/Startup.swift", "try Sandbox.closeAllExcept(keep)", "_ = keep"),
    Mutant("daemon-no-new-privileges", "a daemon's no_new_privs", "PosixTests/aDaemonIsConfinedRunsAndStopsCleanly",
           BASE + "Daemon/Startup.swift", "        try Sandbox.noNewPrivileges()\n", ""),
    Mutant("root-refused", "a daemon refuses to be root", "PosixTests/rootDoesNotGetThrough",
           BASE + "Daemon/Startup.swift", "        try Sandbox.refuseRoot()\n", ""),
    Mutant("profile-applied", "the list of system calls is loaded", "Tests/Sandbox/test_victim.py",
           BASE + "Daemon/Startup.swift", "try Sandbox.permitOnly(profile, otherwise: reaction)", "_ = (profile, reaction)"),
    Mutant("landlock-applied", "the list of paths is loaded", "Tests/Sandbox/test_victim.py",
           BASE + "Daemon/Startup.swift", "        try confinePaths(reads: reads, writes: writes, connects: connects)\n", ""),
    Mutant("profile-words", "no profile permits a program", "PosixTests/hasNothingOfTheseAtAll",
           BASE + "Sandbox/Profiles/relayd.profile", "\nread ", "\nexecve # a mutant\nread "),
]

# What brokerd vouches for, releases and remembers.
SECRETS = [
    Mutant("ticket-mac", "the MAC of a ticket", "BrokeringTests/aChangedTicketIsNoTicket",
           BROKER + "Words.swift", "guard isGenuine else", "guard isGenuine || W.kind == \"ticket\" else"),
    Mutant("one-job-per-ticket", "a ticket is for one job", "BrokeringTests/aTicketIsForOneJob",
           BROKER + "Broker+Grants.swift", "job != request.attempt.job {", "job == 0 {"),
    Mutant("one-attempt-per-grant", "a grant is for one attempt", "BrokeringTests/aGrantIsForOneAttemptOfOneRunner",
           BROKER + "Broker+Grants.swift", "if let attempt, attempt != request.attempt {",
           "if let attempt, attempt.job != request.attempt.job {"),
    Mutant("audit-before-release", "nothing is released without its record", "BrokeringTests/withoutAuditNothingIsReleased",
           BROKER + "Broker+Grants.swift", "try record(again ?", "try? record(again ?"),
    Mutant("order-freshness", "an order of another time", "BrokeringTests/ordersOfAnotherTimeAreRefused",
           BROKER + "Broker+Orders.swift", "(time - Self.skewMs...time", "(time - Ticket.lifetimeMs...time"),
    Mutant("order-once", "an order is carried out once", "BrokeringTests/anOrderIsCarriedOutOnce",
           BROKER + "Broker+Orders.swift", "given.order.issuedMs > person.user.mark", "given.order.issuedMs >= person.user.mark"),
    Mutant("token-and-key", "token and key are one person's", "BrokeringTests/tokenAndKeyGoTogether",
           BROKER + "Broker+Orders.swift", "guard sealed.key == person.user.info.key else",
           "guard sealed.key.array.count == person.user.info.key?.array.count else"),
    Mutant("untrusted-without-secrets", "an untrusted ticket carries no secret", "BrokeringTests/withoutAnOrderThereIsNoTrust",
           BROKER + "Broker+People.swift", "if ticket.trust == .untrusted && !ticket.secrets.isEmpty {",
           "if ticket.trust == .untrusted && ticket.secrets.count > 32 {"),
    Mutant("wipe-overwrites", "a grant is overwritten, not removed alone", "BrokeringTests/zerosComeBeforeTheTruncation",
           BROKER + "GrantFiles.swift", "repeating: 0, count: Int(size))", "repeating: 0, count: min(1, Int(size)))"),
    Mutant("wipe-at-start", "what an earlier broker left is wiped", "BrokeringTests/aStartWipesWhatWasLeft",
           BROKER + "Broker.swift", "let count = try files.wipeAll()", "let count = try files.all().count"),
    Mutant("value-context", "a sealed value is one name's", "BrokeringTests/storedValuesAreNotInterchangeable",
           VAULT + "SealedStore.swift", "\\(project)\\0\\(name)\\0\\(generation)", "\\(project)\\0\\(name.isEmpty)\\0\\(generation)"),
    Mutant("audit-chain", "each record follows from the one before", "BrokeringTests/everyByteOfTheLogCounts",
           VAULT + "AuditRecord.swift", 'guard line.suffix(tail).elementsEqual(Array(" hash=\\(hash.hex)".utf8)) else',
           'guard line.count > tail else'),
    Mutant("free-wipes", "freed memory is overwritten", "BrokeringTests/freedMemoryIsOverwritten",
           BASE + "CWipe/wiped_free.c", "    explicit_bzero(memory, malloc_usable_size(memory));\n", ""),
]

# What a job meets in its container.
RUNNERS = [
    Mutant("grant-definition", "a grant is for one definition", "RunnerCoreTests/anotherKeyRunnerAttemptOrDefinition",
           RUNNER + "Grant.swift", "guard contents.definition == hash else",
           "guard contents.definition.array.count == hash.array.count else"),
    Mutant("grant-attempt", "a grant is for one attempt", "RunnerCoreTests/anotherKeyRunnerAttemptOrDefinition",
           RUNNER + "Grant.swift", "guard contents.attempt == attempt else", "guard contents.attempt.job == attempt.job else"),
    Mutant("grant-image", "a grant is opened in the image of its definition", "RunnerCoreTests/anotherImage",
           RUNNER + "Grant.swift", "guard image == definition.spec.shape.image else", "guard image != nil else"),
    Mutant("grant-tag", "a grant that was changed does not open", "RunnerCoreTests/everyFlippedByteAndEveryCut",
           RUNNER + "GrantSeal.swift", "tagSize) == 1", "tagSize) <= 1"),
    Mutant("grant-gone", "no step before the grant is gone", "RunnerCoreTests/noStepWhileTheKeyIsStillThere",
           RUNNER + "GrantDirectory.swift", "errno == 0 && entries == 2", "errno == 0 && entries >= 2"),
    Mutant("source-hash", "the source is the one of the definition", "RunnerCoreTests/anotherSourceThanTheJobsRunsNothing",
           RUNNER + "SourceReceiver.swift", "guard hash == source.sha256 else", "guard hash == source.sha256 || received > 0 else"),
    Mutant("untrusted-user", "an untrusted step is another user", "RunnerCoreTests/usersAndDirectories",
           RUNNER + "StepUsers.swift", "if step.untrusted { return Self.untrusted }", "if step.untrusted { return Self.trusted }"),
    Mutant("step-secrets", "a secret is for the step that names it", "RunnerCoreTests/aSecretIsForTheStepThatNamesItAlone",
           RUNNER + "Runner+Steps.swift", "let secrets = try secrets(of: step, spec)",
           "let secrets = try secrets(of: spec.steps[0], spec)"),
    Mutant("leftovers-killed", "what a step leaves behind is ended", "RunnerCoreTests/whatAStepLeavesBehindIsGone",
           RUNNER + "ProcessTable.swift", "{ _ = kill(pid, SIGKILL) }", "{ _ = kill(pid, SIGTERM) }"),
    Mutant("runner-closed", "a step cannot look into the runner", "RunnerCoreTests/aStepCannotLookIntoTheRunner",
           RUNNER + "Runner.swift", "let hidden = bh_set_not_dumpable()",
           "let hidden = Int32(configuration.grantDirectory.isEmpty ? -1 : 0)"),
    Mutant("rehearsal", "a rehearsal runs nothing of the image", "RunnerCoreTests/itRunsNothingAndLeavesNothing",
           RUNNER + "Runner+Rehearsal.swift", '        child.executable = "/"\n', ""),
    Mutant("runner-one-thread", "the runner has one thread", "RunnerCoreTests/theRunnerHasOneThread",
           RUNNER + "GrantDirectory.swift", "        let file: FileDescriptor\n",
           "        var thread = pthread_t()\n        _ = pthread_create(&thread, nil, { _ in sleep(1000); return nil }, nil)\n"
           "        let file: FileDescriptor\n"),
    Mutant("archive-path", "an archive's path does not climb", "RunnerCoreTests/isRefused",
           "Sources/Jobs/Tar/TarPath.swift", '[UInt8(ascii: "."), UInt8(ascii: ".")] else { throw .pathLeaves }',
           '[0] else { throw .pathLeaves }'),
    Mutant("archive-link", "no link of an archive's is followed", "RunnerCoreTests/aLinkOnTheWayIsNotFollowed",
           RUNNER + "DirectorySink.swift", "O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)", "O_RDONLY | O_DIRECTORY | O_CLOEXEC)"),
    Mutant("artifact-user", "a runner packs what the steps can read", "RunnerCoreTests/itReadsAsTheStepsUser",
           RUNNER + "Runner+Artifacts.swift", "try FileUser.perform(as: directories.ownerOfSource(spec, users), body)", "try body()"),
    Mutant("artifact-link", "no link in an artifact leads out", "RunnerCoreTests/linksAreNotFollowed",
           RUNNER + "ArtifactPacker.swift", "guard path.admitsTarget(target) else { throw .linkLeaves }", ""),
]

# What a job says, on its way to people.
LOGS = [
    Mutant("masks-first", "nothing runs before its masks are there", "RelayingTests/nothingRunsBeforeTheMasksAreHere",
           RELAY + "Relaying/RunnerConversation.swift", "        guard !awaitsMasks else { return }\n        isJobOffered = true\n",
           "        isJobOffered = true\n"),
    Mutant("output-before-masks", "no output is taken before its masks", "RelayingTests/aRunnerThatSpeaksBeforeItsMasksIsLost",
           RELAY + "Relaying/LogMasking.swift", "        guard isReady else { throw .noMasks }\n", ""),
    Mutant("other-ways-out", "error texts are masked as well", "RelayingTests/everyOtherWayOut",
           RELAY + "Relaying/LogMasking.swift", "decoding: masker.masked(bytes, isCut: bytes.count + 4 > limit), as:",
           "decoding: bytes.prefix(limit), as:"),
    Mutant("log-read-only", "a log is handed out for reading only", "RelayingTests/aSettledAttemptIsNeverWrittenAgain",
           RELAY + "LogStore/LogStore.swift", "Posix.open(paths.log, [.readOnly, .noFollow])",
           "Posix.open(paths.log, [.readWrite, .noFollow])"),
    Mutant("artifact-order", "artifacts come one by one, after the steps", "RelayingTests/itLosesItsRunnerAndNobodyElse",
           RELAY + "Relaying/JobProgress.swift", "        try checkOrder(record)\n", ""),
    Mutant("artifact-limit", "what a job leaves has a bound", "RelayingTests/beyondTheLimitAnArchiveIsDropped",
           RELAY + "LogStore/ArtifactFiles.swift", "else { return drop(rule) }", "else { return stagedBytes += 0 }"),
    Mutant("base64-alignments", "base64 at all three alignments", "MaskerTests/base64AtEachAlignment",
           RELAY + "Masker/Patterns+Encodings.swift", "for alignment in 0..<3 {", "for alignment in 0..<1 {"),
    Mutant("across-chunks", "a value that is cut is masked", "MaskerTests/writesOfOneByte",
           RELAY + "Masker/Masker.swift", "keeping: automaton.depth(state), into", "keeping: min(0, automaton.depth(state)), into"),
    Mutant("lines-of-values", "each line of a value is masked", "MaskerTests/linesOfALongerValue",
           RELAY + "Masker/Patterns.swift", "        addLines(trimmed)\n", ""),
]

# A secret that stays where nobody looks for it any more: the search for a canary has to find it in whichever daemon it is. None of
# these is schedulerd's, spawnerd's or apid's: no value ever reaches them that they could keep.
CANARY = "Tests/Security/test_canary.py"
LEAKS = [
    Mutant("leak-array", "a value that brokerd opens stays in locked pages: here, in an array for ever", CANARY,
           BROKER + "Broker+Masks.swift", "            let value = try vault.store.value(of: secret)\n",
           "            let value = try vault.store.value(of: secret)\n"
           "            enum Leak { nonisolated(unsafe) static var kept: [[UInt8]] = [] }\n"
           "            unsafe value.withBytes { unsafe Leak.kept.append(Array($0)) }\n"),
    Mutant("leak-file", "the file of masks loses its name before anything is in it", CANARY,
           BROKER + "GrantFiles.swift", "            try Posix.unlink(place)\n            try Posix.fchmod(raw, 0o400)\n",
           "            try Posix.fchmod(raw, 0o400)\n"),
    Mutant("leak-free", "freed memory is overwritten", CANARY,
           BASE + "CWipe/wiped_free.c", "    explicit_bzero(memory, malloc_usable_size(memory));\n", ""),
    Mutant("leak-masks", "relayd forgets the masks of a job that has ended", CANARY,
           RELAY + "Relaying/Masks.swift", "guard let entry = entries.removeValue(forKey: AttemptKey(log.job.attempt)) else",
           "guard let entry = entries[AttemptKey(log.job.attempt)] else"),
    Mutant("leak-step-file", "the runner removes a step's file before the next step", CANARY,
           RUNNER + "StepSecrets.swift", "        for file in open {\n", "        for file in open where file.size < 0 {\n"),
]

# Who may ask for what.
CALLERS = [
    Mutant("token-asked", "every call needs a token", "SchedulingTests/everyCallNeedsTheToken",
           SCHEDULER + "Scheduling/Scheduler+Callers.swift", "case .failure(let failure): fail(Self.refusal(of: failure))",
           "case .failure(let failure): failure.errorCode == .unauthorized ? body() : fail(failure)"),
    Mutant("own-job-alone", "a job's token shows that job alone", "SchedulingTests/aJobLooksAtNoOther",
           SCHEDULER + "Scheduling/Caller.swift", "if case .job(job) = matter, action", "if case .job = matter, action"),
    Mutant("pool-trust", "a trusted job takes no untrusted runner", "SchedulingTests/poolsAreKeptApart",
           SCHEDULER + "Scheduling/Floor.swift", "if row.state == .idle { idle[row.pool, default: []].append(row.id) }",
           "let trusted = Pool(shape: row.shape, trust: .trusted)\n"
           "            if row.state == .idle { for pool in [row.pool, trusted] { idle[pool, default: []].append(row.id) } }"),
    Mutant("grant-before-job", "a key is wiped before a job is given", "SchedulingTests/noJobBeforeTheKeyIsWiped",
           SCHEDULER + "Scheduling/Scheduler+Events.swift", "            unit.afterCommit { self.wipe(id, grant) }\n",
           "            unit.afterCommit { self.wipe(id, grant) }\n            try unit.rows.advance(runner: id, on: .ready)\n"
           "            if let job = row.job { try give(unit, job: job, to: id) }\n"),
    Mutant("header-count", "the most headers of a request", "APIServerTests/headersBeyondTheLimits",
           API + "HTTP/HTTPLimits.swift", "package var headerCount = 100\n", "package var headerCount = 1000\n"),
    Mutant("body-size", "the largest body", "APIServerTests/bodiesBeyondTheLimit",
           API + "HTTP/HeadCheck.swift", "UInt64(bodyLimit(head, limits)) {", "UInt64(bodyLimit(head, limits)) << 12 {"),
    Mutant("one-host", "a request names one host", "APIServerTests/ambiguousHeads",
           API + "HTTP/HeadCheck.swift", 'headers["Host"].count == 1', '!headers["Host"].isEmpty'),
]

# What schedulerd promises: docs/reliability.md. Most of it is found out by the simulation.
PROMISES = [
    Mutant("sched-act-first", "nothing is seen before it is committed", SIMULATION,
           SCHEDULER + "Scheduling/UnitOfWork.swift", "        effects.append(effect)\n", "        effect()\n"),
    Mutant("sched-fence", "only an open attempt is listened to", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Events.swift", "row.state == .open, row.told { return row }", "row.told { return row }"),
    Mutant("sched-retry", "a fault of the house is tried again", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Retry.swift", "return job.faults < UInt32", "return job.faults > UInt32"),
    Mutant("sched-faults", "retries are counted", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Retry.swift", "        try unit.rows.noteFault(job: id)\n", ""),
    Mutant("sched-retry-fence", "no attempt before the old container is gone", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Retry.swift",
           "        if let runner { try unit.rows.setFence(runner.id, for: id) }\n", "        _ = runner\n"),
    Mutant("sched-retry-failures", "a job's own failure is final", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Events.swift",
           "        try end(unit, job: job, on: event, reason: reason)\n        try tearDown(unit, attempt.runner,",
           "        if event == .reportedSuccess { try end(unit, job: job, on: event, reason: reason) }\n"
           "        if event != .reportedSuccess { try endByFault(unit, job: job, reason: reason) }\n"
           "        try tearDown(unit, attempt.runner,"),
    Mutant("sched-group", "one job of a group at a time", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Gates.swift", "return holder == nil ? .open : .group", "return holder == nil ? .open : .open"),
    Mutant("sched-group-fence", "no other job of a group before the container is gone", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Teardown.swift", "                try unit.rows.setFence(runner.id, for: job)\n",
           "                _ = runner\n"),
    Mutant("sched-out-of-memory", "a job that used more than its memory is over", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Containers.swift", "            if event == .runnerLost { return try endByFault",
           "            if event == .runnerLost || event == .outOfMemory { return try endByFault"),
    Mutant("sched-never-fits", "who asks for more than there is does not wait",
           "SchedulingTests/whatNeverFitsFailsAtOnceHoweverFullTheHouseIs",
           SCHEDULER + "Scheduling/Scheduler+Submit.swift", "guard let host, let why = settings.neverFits(",
           "guard job == 0, let host, let why = settings.neverFits("),
    # The table of leases refuses a second one by itself: the dispatch fails.
    Mutant("sched-lease", "a device is one runner's", SIMULATION,
           SCHEDULER + "Scheduling/Floor.swift", "leases[$0.id] == nil && ", "leases.count < 9 && "),
    Mutant("sched-lease-end", "a device is free when the container is gone", SIMULATION,
           SCHEDULER + "Store/StoreTransaction+Runners.swift", "        case .moves(.teardown):\n",
           '        case .moves(.teardown):\n            try run("DELETE FROM leases WHERE runner = ?", [key])\n'),
    Mutant("sched-devices", "a runner has the devices that it was given", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Provision.swift", "devices: try unit.rows.devices(ofRunner: id))", "devices: [])"),
    Mutant("sched-undone", "what was read in a transaction that is undone is forgotten", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler.swift", "        batch.onUndone = { [weak self] in self?.shapes.forget() }\n", ""),
    Mutant("sched-told", "it is written that a runner is told before it is", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Telling.swift", "        try unit.rows.noteTold(attempt.attempt)\n", ""),
    Mutant("sched-needs", "a job waits for what it needs", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Needs.swift", "if let bad { return .skip(Reasons.needFailed(bad.job, bad.state)) }",
           "if bad != nil { return .run }"),
    Mutant("sched-settle", "relayd is told what it may forget", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Teardown.swift",
           "if let attempt, attempt.told { self.settle(attempt.attempt) }", "_ = attempt"),
    Mutant("sched-removed", "a runner is forgotten when its container is gone", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Teardown.swift", "        case nil, .notFound:\n            removalBackoff",
           "        case nil, .notFound, .engineUnavailable, .engineRefused:\n            removalBackoff"),
    Mutant("sched-compare", "containers are compared with the rows while nothing restarts",
           "SchedulingTests/aContainerThatComesLateIsRemovedWhileNothingRestarts",
           SCHEDULER + "Scheduling/Scheduler+Reconcile.swift",
           "self.compareContainers(after: self.settings.compareAgain)", "_ = self.settings"),
    Mutant("sched-charge", "a project is charged for what it is given", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Dispatch.swift",
           "        try unit.rows.charge(line.project, cpuMillis: shape.resources.cpuMillis)\n", "        _ = shape\n"),
    Mutant("sched-durable", "a commit is on the disk when it returns", "SchedulingTests/settingsAreTheDurableOnes",
           SCHEDULER + "Store/Store.swift", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"),
    Mutant("sched-epoch", "each start has an epoch of its own", "SchedulingTests/theEpochCountsStarts",
           SCHEDULER + "Store/StoreTransaction+Meta.swift", "SET value = max(value, ?1) + 1", "SET value = max(value, ?1)"),
    Mutant("spawn-epoch", "a scheduler of an earlier epoch makes no runner", "SpawningTests/aSchedulerOfAnEarlierEpochMakesNothing",
           SPAWNER + "Spawning/SpawnService.swift", "guard request.epoch >= self.highestEpoch else {", "guard request.epoch > 0 else {"),
    Mutant("spawn-epoch-label", "the epochs of containers are seen after a restart",
           "SpawningTests/theEpochOfALivingContainerIsSeenAfterARestart",
           SPAWNER + "Spawning/SpawnService.swift", "            highestEpoch = max(highestEpoch, container.epoch)\n", ""),
    Mutant("sched-attach", "runners are attached when spawnerd is back, too", SIMULATION,
           SCHEDULER + "Scheduling/Scheduler+Reconcile.swift", "        if relay.isReady { attachAll() }\n", ""),
    Mutant("sched-old-word", "what an earlier relayd said attaches nobody", "SchedulingTests/aWordOfTheOldRelaydAttachesNobody",
           SCHEDULER + "Scheduling/Scheduler+Events.swift", "guard link == self.relayLink else", "guard link >= 0 else"),
    Mutant("relay-complaints", "a disturbed stream begins anew", "RelayingTests/aDisturbedStreamBeginsAnew",
           RELAY + "Relaying/RelayLimits.swift", "package var complaints = 3", "package var complaints = 0"),
    Mutant("broker-ticket-uses", "a ticket is not used for ever", "BrokeringTests/aTicketIsNotUsedForEver",
           BROKER + "Broker+Grants.swift", ">= Ticket.grantsAtMost {", ">= Ticket.grantsAtMost << 8 {"),
    Mutant("hook-repository", "a project's key speaks for that project's repository alone", "BrokeringTests/whatIsNotGenuineIsRefused",
           BROKER + "Broker+Deliveries.swift", "!ProjectRules(policy).owns(repository)", "repository.id == 0"),
    Mutant("hook-word", "schedulerd makes up no word of brokerd's", "BrokeringTests/whatSchedulerdMakesUpIsRefused",
           BROKER + "Words.swift", "guard isGenuine else", "guard isGenuine || W.kind == \"delivery\" else"),
    Mutant("hook-held", "what waits for an approval gets no ticket", "BrokeringTests/aForkWaitsAndWithoutWaitingHasNoSecret",
           BROKER + "Broker+Events.swift", "if work.decision.isHeld {", "if false {"),
    Mutant("hook-definition", "an event's job is the project's", "BrokeringTests/whatSchedulerdMakesUpIsRefused",
           BROKER + "Broker+Events.swift", "guard hash == wanted else", "guard hash == wanted || true else"),
    Mutant("hook-secrets", "secrets are for what their rule says", "BrokeringTests/anotherBranchIsApprovedAndGetsLess",
           BROKER + "Broker+Events.swift", "guard given.contains(name), ", "guard !given.contains(\"\"), "),
    Mutant("hook-file", "a job file is of the right commit", "BrokeringTests/aJobFileIsWhatCourierdHasRead",
           BROKER + "Broker+Events.swift", "$0.hex == word.commit", "$0.hex != word.project"),
    Mutant("hook-file-rule", "a job file is the one that the rules name", "BrokeringTests/aJobFileIsWhatCourierdHasRead",
           BROKER + "Broker+Events.swift", "word.rule == job.file, ", ""),
    Mutant("hook-source", "a source is that of the commit", "BrokeringTests/aSourceIsWhatCourierdHasFetched",
           BROKER + "Broker+Events.swift", "word.commit == work.commit.hex, word.source == source", "source.size > 0"),
    Mutant("gitlab-order", "values are for the job that they came with", "BrokeringTests/noOtherValues",
           BROKER + "Broker+GitLab.swift", "guard word.order == request.ticket.order, word.project", "guard word.project"),
    Mutant("gitlab-values", "a job of GitLab's has none of the project's secrets", "BrokeringTests/noOtherValues",
           BROKER + "Broker+GitLab.swift",
           'guard let word = request.values else { throw Failure(.ticketRefused, "without its values", place: "values") }',
           "guard let word = request.values else { return nil }"),
    Mutant("gitlab-names", "a job of GitLab's names what it brought", "BrokeringTests/noneOfTheProjects",
           BROKER + "Broker+GitLab.swift", "named.isSubset(of: word.about.secrets), let order", "let order"),
    Mutant("gitlab-policy", "jobs of GitLab's are for projects that say so", "BrokeringTests/onlyForProjectsThatSaySo",
           BROKER + "Broker+GitLab.swift", "policy.runner, policy.forge == .gitlab", "policy.runner"),
    Mutant("gitlab-rule", "a runner is what somebody has sealed", "BrokeringTests/noRuleButTheSealedOne",
           BROKER + "Broker+GitLab.swift", "Hashes.sha256(bytes) == sealed else", "!bytes.isEmpty else"),
    Mutant("gitlab-register", "no runner is made by another rule", "BrokeringTests/noRuleButTheSealedOne",
           BROKER + "Broker+Forges.swift",
           "if let rule = request.rule { try", "if let rule = request.rule, rule.shape.image.isEmpty { try"),
    Mutant("gitlab-registration", "a runner asks for the jobs for which it was made", "BrokeringTests/anOldRunnerOnlyLeaves",
           BROKER + "Broker+GitLab.swift",
           "guard rule.registration == word.registration else", "guard !word.project.isEmpty else"),
    Mutant("gitlab-old-rule", "a job by a rule of before has no ticket", "BrokeringTests/aJobByAnOldRuleGetsNoTicket",
           BROKER + "Broker+GitLab.swift", "guard word.rule == sealed else", "guard word.rule == sealed || true else"),
    Mutant("gitlab-told", "courierd makes no runner that brokerd does not know", "Tests/Security/test_takeover_gitlab.py",
           "Sources/Courier/Couriering/GitLab/Courier+Runners.swift", "purpose.rule = request.rule", "purpose.rule = nil"),
    Mutant("gitlab-asks", "a runner asks by the rule that it was told last", "Tests/Security/test_takeover_gitlab.py",
           "Sources/Courier/Couriering/GitLab/ServedRunner.swift",
           "(rule, tokens.rule) = (request.rule, request.rule)", "(rule, tokens.rule) = (request.rule, nil)"),
    Mutant("gitlab-images", "a job runs in no other image than the rules name", "CourieringTests/onlyImagesOfTheRule",
           "Sources/Courier/Couriering/GitLab/TranslatedJob.swift",
           "if let image = job.image, !", "if let image = job.image, image.isEmpty, !"),
    Mutant("gitlab-protected", "protected refs alone, where the rules say so", "CourieringTests/onlyProtectedRefs",
           "Sources/Courier/Couriering/GitLab/TranslatedJob.swift",
           "if rule.registration.protectedOnly, !job.isProtected {", "if false {"),
    Mutant("image-pattern", "an image's name is the whole of it", "ProjectModelTests/whatAPatternAdmits",
           "Sources/Jobs/JobModel/ImagePattern.swift",
           "return image.utf8.elementsEqual(text.utf8)", "return image.utf8.starts(with: text.utf8)"),
    Mutant("gitlab-definition", "a job of GitLab's runs as it was kept", "BrokeringTests/theDefinitionIsTheOneThatWasKept",
           BROKER + "Broker+GitLab.swift", "try Self.hash(bare) == word.about.definition,", "!word.project.isEmpty,"),
    Mutant("gitlab-files", "files go before the end", "SchedulingTests/filesGoBeforeTheEnd",
           "Sources/Scheduler/Scheduling/GitLab/GitLabDesk+Reports.swift",
           "if let attempt, self.sendFiles(work, attempt, isGood: row.state == .succeeded) { return }", ""),
    Mutant("gitlab-again", "a job's end is told until GitLab has it", "SchedulingTests/whoeverDiesTheEndIsTold",
           "Sources/Scheduler/Scheduling/GitLab/GitLabDesk.swift",
           "for row in rows { self.follow(GitLabWork(row, isResumed: true)) }", "_ = rows"),
    Mutant("gitlab-seal", "what goes up as a job's is what its runner has packed", "BrokeringTests/whatAJobHasLeftIsItsRunners",
           BROKER + "Broker+GitLab.swift", "authenticating: said, using: sealKey(of: order, in: request.word.project))",
           "authenticating: said, using: sealKey(of: order, in: request.word.project)) || true"),
    Mutant("gitlab-seal-key", "each job's seal has a key of its own", "BrokeringTests/whatAJobHasLeftIsItsRunners",
           BROKER + "Broker+Grants.swift", 'Array("bulkhead artifacts 1".utf8) + order.array + Array',
           'Array("bulkhead artifacts 1".utf8) + Array'),
    Mutant("seal-all", "the seal is over every byte", "RunnerCoreTests/aJobWithAGrantSealsWhatItLeaves",
           "Sources/Runner/RunnerCore/Runner+Artifacts.swift", "packedHash.update(piece[...])", "packedHash.update(piece.prefix(1))"),
    Mutant("app-key-stays", "a token beside an app's key is not lent in its place", "BrokeringTests/whatIsNoKey",
           BROKER + "Broker+Forges.swift", "(policy.app == nil ? ForgeSecret.token : .appKey).rawValue", "ForgeSecret.token.rawValue"),
    Mutant("app-repository", "of one key's projects the repository decides", "BrokeringTests/oneKeyForTwoProjects",
           BROKER + "Broker+Deliveries.swift", "!ProjectRules(policy).owns(repository)", "repository.path.isEmpty"),
    Mutant("check-ended", "a check run that has ended is not begun again", "ForgeCallsTests/whatHasEndedStays",
           "Sources/Courier/Forge/AppForge.swift", "guard let told = newest.conclusion else {",
           "guard let told = newest.conclusion, told == \"success\" else {"),
    Mutant("check-own", "an app's check runs are its own", "ForgeCallsTests/theSameOneGoesOn",
           "Sources/Courier/Forge/AppForge.swift", "$0.app == installation?.app && ", ""),
    Mutant("button-branch", "a button approves for the branch that its check run names", "ProjectModelTests/aButton",
           "Sources/Jobs/TrustModel/Approval.swift", "branch: tag.branch,", "branch: nil,"),
    Mutant("key-place", "what was given for one forge goes to no other", "BrokeringTests/whatWasGivenForOneForgeGoesToNoOther",
           BROKER + "Broker+Projects.swift", "        try checkPlace(policy)\n", ""),
    Mutant("key-gone", "what is for a forge goes with the rules", "BrokeringTests/itGoesWithTheRules",
           BROKER + "Broker+Projects.swift",
           "        for secret in ForgeSecret.allCases { _ = next.remove(order.project, secret.rawValue) }\n", ""),
    Mutant("order-name", "an order's number is nobody else's name for a job", "BrokeringTests/aNumberIsNobodyElsesName",
           BROKER + "Broker+People.swift", "ticket.order = try Self.name(of: given.order.id, by: person)",
           "ticket.order = given.order.id"),
    Mutant("button-app", "a button is our own app's", "BrokeringTests/aButtonOfOurAppAlone",
           BROKER + "Broker+Deliveries.swift", "!button.app.contains(where: { $0 == policy.app })", "button.app.isEmpty"),
    Mutant("hook-kept", "what is for the forge is in no job", "BrokeringTests/whatIsForTheForgeIsInNoJob",
           BROKER + "Broker+People.swift", "where ForgeSecret(rawValue: name) != nil {", "where name.isEmpty {"),
    Mutant("role-of-orders", "an order is for whoever has the role", "BrokeringTests/everyOrderAsksForItsRole",
           BROKER + "Person.swift", "if let refusal = ", "if false, let refusal = "),
    Mutant("token-scope", "a token is no more than its scope", "BrokeringTests/aTokenIsNoMoreThanItsScope",
           "Sources/Jobs/TrustWire/Rights.swift", "min(all.access(to: $0), token.access)", "all.access(to: $0)"),
    Mutant("token-end", "a token ends", "BrokeringTests/aTokenEnds",
           BROKER + "Broker+People.swift", "guard found.expiresMs == 0 || ", "guard found.expiresMs >= 0 || "),
    Mutant("new-user-mark", "a user who comes back brings no order from before", "BrokeringTests/noOrderFromBeforeCounts",
           BROKER + "Broker+Users.swift", "old?.mark ?? now()", "old?.mark ?? 0"),
    Mutant("role-of-jobs", "what one may not see is not there", "SchedulingTests/whatOneMayNotSeeIsNotThere",
           "Sources/Scheduler/Scheduling/Caller.swift", "rights.access(to: row.project) >= .read else", "row.id > 0 else"),
    Mutant("role-of-projects", "a document is staged for an admin of the project", "SchedulingTests/aProjectIsItsAdmins",
           "Sources/Scheduler/Scheduling/Scheduler+Projects.swift", "to: .applyProject, .project(name), writes",
           "to: .seeHouse, .house, writes"),
    Mutant("approval-head", "an approval is of what was looked at", "BrokeringTests/anOperatorApprovesWhatHeHasSeen",
           BROKER + "Broker+Approvals.swift", "order.head == head.hex", "!head.hex.isEmpty"),
    Mutant("approval-branch", "an approval is of one branch", "BrokeringTests/aPushOrAnotherChangeIsNotApproved",
           "Sources/Jobs/TrustModel/Approval.swift", "base != change.base.commit || !change.goes(into: branch)",
           "base != change.base.commit"),
    Mutant("approval-now", "a comment is about the branch of now", "BrokeringTests/whatTheForgeHasSaidLongAgoApprovesNothing",
           BROKER + "Broker+Approvals.swift", "base.issuedMs <= PermissionWord.lifetimeMs", "base.issuedMs <= BaseWord.lifetimeMs"),
    Mutant("approval-said", "a comment means the branch that it names", "BrokeringTests/aCommentIsAboutTheBranchOfNow",
           "Sources/Jobs/TrustModel/Approval.swift", "change.goes(into: branch ?? change.base.branch)",
           "change.goes(into: change.base.branch)"),
    Mutant("base-word", "what a change is based on is said of it", "BrokeringTests/whereAChangeIsBasedCourierdSays",
           BROKER + "Broker+Events.swift", "word.project == project, change.isMeant(by: word)", "word.project == project"),
    Mutant("approval-account", "the permission is of whoever asks", "BrokeringTests/whoCommentsMustBeAllowedToWrite",
           BROKER + "Broker+Approvals.swift", "Account(may.account) == wish.by", "wish.head.hex != may.project"),
    Mutant("hook-once", "a delivery that comes again makes nothing", "SchedulingTests/aPushMakesItsJobsOnce",
           SCHEDULER + "Scheduling/Scheduler+Deliveries.swift", "body: word.delivery) {", "body: word.delivery), known == 0 {"),
    Mutant("hook-revoked", "a push takes away what waited for an approval", "SchedulingTests/aPushToTheChangeTakesItAway",
           SCHEDULER + "Scheduling/Scheduler+Planning.swift", "if let job, try unit.rows.job(job)?.state == .held {",
           "if let job, try unit.rows.job(job)?.state == .running {"),
    Mutant("hook-owed", "brokerd is asked again for what it owes", "SchedulingTests/whatBrokerdOwesIsAskedForAgain",
           SCHEDULER + "Scheduling/Scheduler+Forges.swift",
           "            scheduler.goOnWithDeliveries()\n            scheduler.postNext", "            scheduler.postNext"),
    Mutant("hook-busy", "courierd is asked again when it had enough to do", "SchedulingTests/aCourierThatIsBusyIsAskedAgain",
           SCHEDULER + "Scheduling/Scheduler+Errands.swift", "after: pause) { $0.takeUpDeliveries() }", "after: pause) { _ in }"),
    Mutant("hook-storm", "everyone of a storm gets its turn", "SchedulingTests/everyoneOfAStormGetsItsTurn",
           SCHEDULER + "Scheduling/Scheduler+Errands.swift", "guard let pause else { return goOnWithDeliveries() }",
           "guard let pause else { return }"),
    Mutant("hook-replaces", "what is released replaces what came before it", "SchedulingTests/whatIsReleasedReplacesWhatCameBeforeIt",
           SCHEDULER + "Scheduling/Scheduler+Tickets.swift",
           "        if let older = try replacement(unit, by: id) { try follow(unit, [older]) }\n", ""),
    Mutant("hook-rules", "other rules end what is owed", "SchedulingTests/otherRulesEndWhatIsStillOwed",
           SCHEDULER + "Scheduling/Scheduler+Errands.swift", "stored.revision == row.word.revision,", "stored.revision != .random(),"),
    Mutant("hook-staged", "rules that brokerd holds are there, whoever has heard so", "SchedulingTests/aLostAnswerLosesNoRules",
           SCHEDULER + "Store/StoreTransaction+Projects.swift", "        try promoteProject(name, revision, at: now)\n", ""),
    Mutant("hook-room", "bodies of webhooks have a bound, all together", "APIServerTests/bodiesHaveABoundEachAndAllTogether",
           "Sources/API/APIServer/WebhookRoom.swift", "if let lack = room.taken.withLock({ $0.bytes.take(bytes.count, for: project) }) {",
           "if let lack = room.taken.withLock({ $0.bytes.take(0, for: project) }) {"),
    Mutant("hook-share", "a project's storm leaves room for others", "APIServerTests/aProjectsStormLeavesRoomForTheOthers",
           "Sources/API/APIServer/Share.swift", "guard mine + amount <= free - amount else", "guard amount <= free else"),
    Mutant("hook-turn", "so many are handed on at once", "APIServerTests/aProjectsStormLeavesRoomForTheOthers",
           "Sources/API/APIServer/WebhookRoom.swift", "        try file.handOn()\n", ""),
    Mutant("known-for-ever", "a delivery that has gone is known", "SchedulingTests/anOldDeliveryGoesAfterItsJobsAndIsKnownForEver",
           "Sources/Scheduler/Store/StoreTransaction+OldDeliveries.swift", "SELECT project, body, id FROM deliveries WHERE id = ?",
           "SELECT project, body, id FROM deliveries WHERE id = -?"),
    Mutant("delivery-before-jobs", "a delivery goes after its jobs", "SchedulingTests/anOldDeliveryGoesAfterItsJobsAndIsKnownForEver",
           "Sources/Scheduler/Store/StoreTransaction+OldDeliveries.swift", "(open = 1 OR EXISTS (", "(open = 1 AND EXISTS ("),
    Mutant("hook-room-kept", "a body has its room until it is answered", "APIServerTests/aBodyKeepsItsRoomUntilItIsAnswered",
           "Sources/API/APIServer/WebhookRoom.swift", "held.withLock { $0.bytes += bytes.count }",
           "room.taken.withLock { $0.bytes.giveBack(bytes.count, of: project) }"),
    Mutant("hook-answer", "what is not genuine gets one answer", "APIServerTests/whatIsNotGenuineGetsOneAnswer",
           "Sources/API/APIServer/Routes/WebhookRoutes.swift", "error.code == .unauthorized ? notGenuine : error", "error"),
    Mutant("sched-wake-up", "a dispatch that is asked for by the dispatcher is not forgotten",
           "SchedulingTests/whoFollowsOneThatNeverFitsIsNotForgotten",
           SCHEDULER + "Scheduling/Batch.swift", "        commits += 1\n", "        dispatchIsDue = false\n        commits += 1\n"),
    Mutant("sched-unit-alone", "a unit of work that fails leaves nothing behind", "SchedulingTests/aUnitThatFailsFailsAlone",
           SCHEDULER + "Scheduling/Batch.swift", "try work.rows.savepoint { try body(work) }", "try body(work)"),
    Mutant("sched-undone-shape", "what a transaction read that was undone is forgotten",
           "SchedulingTests/aShapeThatWasNotCommittedIsNotTakenForTheNext",
           SCHEDULER + "Scheduling/ShapeCache.swift", "func forget() { known = [:] }", "func forget() {}"),
    Mutant("sched-step-rows", "relayd names no steps that are not there", "SchedulingTests/relaydNamesStepsThatAreNotThere",
           SCHEDULER + "Scheduling/Scheduler+Events.swift", "if Int(step) < (try unit.rows.spec(ofJob: job).steps.count)", "if job > 0"),
    Mutant("job-filter-runner", "no step sets its runner's limits", "SpawningTests/theFilterIsJSONAndDeniesByDefault",
           SPAWNER + "SpawnPolicy/SystemCalls.swift", "pidfd_open prctl process_mrelease", "pidfd_open prctl prlimit64 process_mrelease"),
]

# What goes out, and what brokerd states of it.
COURIER = "Sources/Courier/"
FORGES = [
    Mutant("event-approval", "polling finds no approvals", "BrokeringTests/whatPollingFindsIsStated",
           BROKER + "Broker+Forges.swift", "guard request.event.event != nil, let repository", "guard let repository"),
    Mutant("event-owner", "polling finds nothing of another repository", "BrokeringTests/whatPollingFindsIsStated",
           BROKER + "Broker+Forges.swift", "guard ProjectRules(policy).owns(repository) else",
           "guard ProjectRules(policy).owns(repository) || !policy.project.isEmpty else"),
    Mutant("courier-origins", "an errand goes to its own servers", "OutboundTests/onlyConfiguredServersAreAsked",
           COURIER + "Outbound/Outbound.swift", "guard origins.contains(request.origin) else", "guard !origins.isEmpty else"),
    Mutant("courier-doubt", "half a name of a repository is looked at", "ForgeCallsTests/aDoubtedRepositoryIsAskedFor",
           COURIER + "Forge/ForgeWork.swift", "guard repository.id == 0 || found.id == repository.id,",
           "guard repository.id < 1 << 60,"),
    Mutant("courier-files", "files are those of the commits that were meant",
           "ForgeCallsTests/filesAreThoseOfTheCommitsThatWereMeant", COURIER + "Forge/ForgeWork.swift",
           "files.isComplete && now.head.commit == head", "files.isComplete && (now.head.commit == head || files.isComplete)"),
    Mutant("courier-told-once", "what was told is not news", "ForgeCallsTests/whatMovedIsToldOnce",
           COURIER + "Forge/NewsWork.swift", "time == cursor.newest && !cursor.told.contains(mark)", "time == cursor.newest"),
]

# What systemd holds.
DIRECTIVES = [
    Mutant(f"unit-{name}", f"{line.partition('=')[0]} of every unit", "Tests/Systemd/check_units.sh",
           UNITS + "bulkhead-.service.d/10-walls.conf", f"\n{line}\n", "\n")
    for name, line in [
        ("no-new-privileges", "NoNewPrivileges=yes"), ("no-capabilities", "CapabilityBoundingSet="),
        ("no-network", "PrivateNetwork=yes"), ("no-namespaces", "RestrictNamespaces=yes"),
        ("native-calls", "SystemCallArchitectures=native"),
    ]
]

MUTANTS = CONTAINERS + EDGES + SANDBOXES + SECRETS + RUNNERS + LOGS + LEAKS + CALLERS + PROMISES + FORGES + DIRECTIVES
