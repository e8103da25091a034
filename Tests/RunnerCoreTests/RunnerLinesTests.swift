// S7: the lines of a step's two streams in the log, through a real runner.

import Files
import Posix
import RunnerCore
import Testing
import Wire

@Suite(.serialized) struct RunnerLinesTests {
    /// No unfinished line goes out for its age.
    static let patient = ["hold=600000"]

    /// A sign for the step.
    static func put(_ name: String, _ child: RunnerChild) throws {
        _ = try Posix.open(child.directory.path + "/job/src/" + name, [.writeOnly, .create])
    }

    static let secret = UnfinishedLineTests.secret
    /// Half a value; a warning; the other half.
    static let halves = """
        perl -e '$| = 1; sub await { select(undef, undef, undef, 0.01) until -e $_[0] } $v = "\(secret)";
            print substr($v, 0, 12); await("go"); print STDERR "warning\n"; await("on"); print substr($v, 12), "\n"'
        """

    @Test func aWarningBetweenTheHalvesOfAValue() throws {
        let child = try RunnerChild(Self.patient)
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("print", Self.halves)]))
        try Self.put("go", child)
        try relay.run { relay.journal.errors == "warning\n" }
        #expect(relay.journal.text == "")
        try Self.put("on", child)
        #expect(try relay.finish().state == .succeeded, "\(relay.journal.errors)")
        #expect(String(decoding: relay.journal.merged, as: UTF8.self) == "warning\n\(Self.secret)\n")
    }

    /// The control, and what a prompt needs: half a line goes out after a while.
    @Test(arguments: [["hold=0"], []]) func aPromptIsShown(_ options: [String]) throws {
        let child = try RunnerChild(options)
        let relay = try TestRelay(child)
        try relay.attach()
        try relay.start(.of([Step("print", Self.halves)]))
        try relay.run { relay.journal.text == Self.secret.prefix(12) }
        try Self.put("go", child)
        try relay.run { relay.journal.errors == "warning\n" }
        try Self.put("on", child)
        #expect(try relay.finish().state == .succeeded)
        #expect(!String(decoding: relay.journal.merged, as: UTF8.self).contains(Self.secret))
        #expect(relay.journal.text == Self.secret + "\n")
    }

    @Test func theLastBytesComeBeforeTheEnd() throws {
        let child = try RunnerChild(Self.patient)
        let relay = try TestRelay(child)
        try relay.attach()
        let closed = "printf e; exec >&- 2>&-; while ! test -e go; do sleep 0.01; done"
        try relay.start(.of([Step("a", "printf ab; printf cd >&2"), Step("b", closed), Step("c", "printf fg")]))
        // Whoever closes a stream says nothing more: no need to wait.
        try relay.run { relay.journal.text == "abe" }
        try Self.put("go", child)
        #expect(try relay.finish().state == .succeeded)
        #expect(relay.journal.text == "abefg" && relay.journal.errors == "cd")
        #expect(relay.journal.mergedAtEnds == [4, 5, 7])
    }

    /// Two streams written in pieces of any size, mixed at random.
    @Test(arguments: 1...4) func piecesOfTwoStreams(seed: Int) throws {
        let child = try RunnerChild(Self.patient)
        let relay = try TestRelay(child)
        try relay.attach()
        let write = """
            perl -e 'srand(\(seed)); my @s;
                for $n (1..3000) { for $s (0, 1) { $s[$s] .= "<$s $n " . ("x" x rand(150)) . ">\\n" } }
                while (length $s[0] || length $s[1]) {
                    $s = int(rand(2)); $p = substr($s[$s], 0, 1 + rand(rand() < 0.1 ? 9000 : 60), "");
                    syswrite($s ? STDERR : STDOUT, $p) if length $p }'
            """
        try relay.start(.of([Step("write", write)]))
        #expect(try relay.finish().state == .succeeded, "\(relay.journal.errors.suffix(200))")
        let lines = String(decoding: relay.journal.merged, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 6000)
        for stream in 0..<2 {
            let own = lines.filter { $0.hasPrefix("<\(stream) ") && $0.hasSuffix(">") && $0.count { $0 == "<" } == 1 }
            #expect(own.map { $0.split(separator: " ")[1] } == (1...3000).map { Substring(String($0)) }, "\(stream)")
        }
    }

    /// Nothing but unfinished lines, more than fits, and nobody who takes them for a while.
    /// Where each piece is a record, the runner is full much earlier.
    @Test(arguments: [(patient, 800_000), (["hold=0"], 10_000)])
    func linesWithoutAnEnd(_ options: [String], _ fit: Int) throws {
        let child = try RunnerChild(options)
        let first = try TestRelay(child)
        first.acknowledges = false
        try first.attach()
        try first.start(.of([Step("write", "perl -e 'for (1..300000) { print \"$_ \"; print STDERR \"-$_ \" }'")]))
        try first.run { first.journal.merged.count > fit }
        try first.die()
        let second = try TestRelay(child, journal: first.journal)
        try second.attach()
        #expect(try second.finish().state == .succeeded)
        #expect(second.journal.text == (1...300_000).map { "\($0) " }.joined())
        #expect(second.journal.errors == (1...300_000).map { "-\($0) " }.joined())
    }
}
