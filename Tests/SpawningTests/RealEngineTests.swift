import DockerRuntime
import Foundation
import Link
import Posix
import Runtime
import SpawnPolicy
import Testing
import Wire

/// What the plan says is what a real engine does.
@Suite(.enabled(if: RealEngine.socket != nil, "BULKHEAD_ENGINE is not set"), .serialized)
struct RealEngineTests {
    private static let look = """
        echo "arguments $*"; echo "id $(id -u):$(id -g)"; pwd
        grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status
        touch /in-root 2>/dev/null && echo "root writable" || echo "root read-only"
        touch /job/x /tmp/x /dev/shm/x && echo "mounts writable"
        printf '#!/bin/sh\\necho executed' >/job/y; chmod +x /job/y; /job/y
        echo "devices $(ls /sys/class/net | tr '\\n' ' ')"
        echo "pids $(cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null)"
        echo "memory $(cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null)"
        head -c 20 /proc/kcore | wc -c; env | sort
        read line; echo "heard $line"; exit 7
        """

    private func look(_ profile: Profile, image: String = "bulkhead/busybox") throws -> String {
        let real = try RealHouse(script: Self.look)
        defer { real.close() }
        let runner = Bytes16.random()
        let log = try real.house.watch()
        _ = try real.create(runner, image: image, profile: profile).get()
        let runners = try real.house.call(SpawnerEdge.ListRunners()).get().runners
        #expect(runners == [.init(runner: runner, state: .running)])
        #expect(try Posix.write(real.house.streams[0].descriptor.raw, Array("hello\n".utf8)) == .bytes(6))
        let output = try real.output()
        try real.loop.run { !log.exits.isEmpty }
        #expect(log.exits[0].exitCode == 7 && !log.exits[0].outOfMemory && log.exits[0].runner == runner)
        #expect(output.contains("arguments \(runner.hex)\n") && output.contains("heard hello\n"))
        _ = try real.house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        _ = try real.house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        #expect(try real.house.call(SpawnerEdge.ListRunners()).get().runners.isEmpty)
        return output
    }

    private func expect(_ output: String, _ lines: [String], at place: SourceLocation = #_sourceLocation) {
        let found = output.components(separatedBy: "\n")
        for line in lines { #expect(found.contains(line), "\(line) in \(output)", sourceLocation: place) }
    }

    private static let everywhere = [
        "NoNewPrivs:\t1", "Seccomp:\t2", "mounts writable", "executed", "devices lo ", "pids 64", "memory 67108864",
        "0", "/", "HOME=/job", "LANG=C.UTF-8",
    ]

    @Test func strictHoldsWhatItSays() throws {
        expect(
            try look(.strict),
            Self.everywhere + [
                "id 1000:1000", "CapBnd:\t0000000000000000", "CapEff:\t0000000000000000", "root read-only",
            ])
    }

    @Test func buildHoldsWhatItSays() throws {
        expect(try look(.build), Self.everywhere + ["id 0:0", "CapBnd:\t00000000000000eb", "root writable"])
    }

    /// R10: an image that sets everything it can. What it sets, it does not get.
    @Test func aHostileImageDecidesNothing() throws {
        let name = "bulkhead-test/hostile"
        try RealEngine.makeImage(
            name,
            [
                "ENV LD_PRELOAD=/evil.so BASH_ENV=/evil PATH=/evil", "ENTRYPOINT [\"/bin/false\"]", "CMD [\"evil\"]",
                "USER 0", "WORKDIR /proc/self/fd/8", "HEALTHCHECK CMD /bin/evil", "ONBUILD RUN evil",
                "LABEL maintainer=evil", "EXPOSE 80",
            ])
        defer { _ = try? RealEngine.curl("DELETE", "/images/\(name)?force=true") }
        let inside = try RealEngine.curl("GET", "/images/\(name)/json")
        #expect(inside.contains("LD_PRELOAD") && inside.contains("SIGCONT"), "the image is not hostile: \(inside)")
        let output = try look(.strict, image: name)
        expect(output, Self.everywhere + ["id 1000:1000", "root read-only"])
        #expect(!output.contains("evil"))
    }

    @Test(arguments: ["VOLUME /proc", "VOLUME /data", "LABEL bulkhead.runner=00112233445566778899aabbccddeeff"])
    func someImagesAreRefused(_ change: String) throws {
        let name = "bulkhead-test/refused"
        try RealEngine.makeImage(name, [change])
        defer { _ = try? RealEngine.curl("DELETE", "/images/\(name)?force=true") }
        let real = try RealHouse(script: "exit 0")
        defer { real.close() }
        #expect(code(try real.create(.random(), image: name)) == .imageRefused)
        #expect(code(try real.create(.random(), image: "bulkhead-test/nothing")) == .imageMissing)
        #expect(try real.house.call(SpawnerEdge.ListRunners()).get().runners.isEmpty)
    }

    @Test func memoryRunsOutAndIsNamed() throws {
        let real = try RealHouse(script: "exec awk 'BEGIN { s = \"xxxxxxxx\"; while (1) s = s s }'")
        defer { real.close() }
        let exit = try real.live(memory: 24 << 20).exit
        #expect(exit.exitCode == 137 && exit.outOfMemory)
    }

    @Test func processesRunOut() throws {
        let real = try RealHouse(script: "i=0; while [ $i -lt 200 ]; do sleep 60 & i=$((i+1)); done; echo made $i")
        defer { real.close() }
        let output = try real.live().output
        #expect(output.contains("Resource temporarily unavailable"), "\(output)")
    }

    @Test func theDiskRunsOut() throws {
        let real = try RealHouse(script: "dd if=/dev/zero of=/job/x bs=64k count=800; wc -c </job/x")
        defer { real.close() }
        let output = try real.live().output
        #expect(output.contains("No space left"), "\(output)")
        // The two streams of a container come in no order of each other.
        let size = output.split(separator: "\n").compactMap { Int($0) }.first
        #expect(size.map { (4 << 20...8 << 20).contains($0) } == true, "\(output)")
    }

    /// R12: a kill, and no signal that can be ignored.
    @Test func whoIgnoresSignalsGoesAllTheSame() throws {
        let real = try RealHouse(script: "trap '' TERM CONT; while :; do sleep 1; done")
        defer { real.close() }
        let runner = Bytes16.random()
        _ = try real.create(runner).get()
        #expect(try real.house.call(SpawnerEdge.ListRunners()).get().runners.map(\.runner) == [runner])
        _ = try real.house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
        #expect(try real.house.call(SpawnerEdge.ListRunners()).get().runners.isEmpty)
    }

    /// relayd and spawnerd may come and go: the stream can be had again, and creating again starts nothing twice.
    @Test func attachingAgainGivesAStream() throws {
        let real = try RealHouse(script: "while read line; do echo \"heard $line\"; [ $line = stop ] && exit 0; done")
        defer { real.close() }
        let runner = Bytes16.random()
        _ = try real.create(runner).get()
        _ = try real.house.create(runner).get()
        _ = try real.house.call(SpawnerEdge.AttachRunner(runner: runner)).get()
        #expect(real.house.streams.count == 3)
        _ = try Posix.write(real.house.streams[2].descriptor.raw, Array("stop\n".utf8))
        #expect(try real.output(of: 2).contains("heard stop"))
        _ = try real.house.call(SpawnerEdge.RemoveRunner(runner: runner)).get()
    }

    /// A container of our name: with our labels and another content it is found out and removed, without them it is
    /// a stranger's and stays as it is.
    @Test(arguments: [true, false])
    func aContainerThatIsNotThePlansIsFoundOut(_ labelled: Bool) throws {
        let real = try RealHouse(script: "sleep 60")
        defer { real.close() }
        let runner = Bytes16.random()
        _ = try RealEngine.curl(
            "POST", "/containers/create?name=\(real.name(runner))",
            """
            {"Image":"bulkhead/busybox","Cmd":["sleep","60"],"HostConfig":{"Privileged":true,"UsernsMode":"host"},
            "Labels":{"bulkhead.instance":"\(labelled ? real.instance : "x")","bulkhead.runner":"\(runner.hex)"}}
            """)
        defer { _ = try? RealEngine.curl("DELETE", "/containers/\(real.name(runner))?force=true") }
        #expect(try RealEngine.curl("GET", "/containers/\(real.name(runner))/json").contains(#""Privileged":true"#))
        #expect(code(try real.create(runner)) == (labelled ? .engineMismatch : .conflict))
        if !labelled {
            #expect(code(try real.house.call(SpawnerEdge.RemoveRunner(runner: runner))) == .conflict)
        }
        let gone = try RealEngine.curl("GET", "/containers/\(real.name(runner))/json").contains("No such container")
        #expect(gone == labelled)
    }

    @Test func aRunnerThatIsMissingOnTheHostIsRefused() throws {
        let real = try RealHouse(script: "exit 0")
        var policy = site(runner: "/nonexistent/runner", grants: real.grants)
        policy.instance = real.instance
        let house = try House(real.loop, DockerRuntime(loop: real.loop, path: RealEngine.socket ?? ""), policy)
        #expect(code(try house.create(.random())) == .invalid)
        #expect(try house.call(SpawnerEdge.ListRunners()).get().runners.isEmpty)
        house.close()
        real.close()
    }

    @Test func theHostIsDescribed() throws {
        let real = try RealHouse(script: "exit 0")
        defer { real.close() }
        let host = try real.house.call(SpawnerEdge.DescribeHost()).get()
        #expect(host.userNamespaces && host.cpus > 0 && host.memoryBytes > 1 << 28 && !host.engineVersion.isEmpty)
    }
}
