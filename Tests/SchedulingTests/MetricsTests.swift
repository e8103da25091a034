// Metrics: the text format, and that the numbers are those of what happened. Their names are held against promtool in
// Tests/Integration/test_metrics.py.

import Exposition
import JobWire
import Link
import Scheduling
import Store
import Testing
import Wire

@Suite struct MetricsTests {
    private func lines(_ house: House) throws -> Set<String> {
        Set(try house.metrics().split(separator: "\n").map(String.init))
    }

    private func lines(_ house: House, of name: String) throws -> Set<String> {
        try lines(house).filter { $0.hasPrefix(name) }
    }

    @Test func theFormat() {
        var text = MetricsText()
        text.family("a_total", .counter, "One\nline \\ \"quoted\".")
        text.sample(UInt64(3))
        text.sample(2.5, ["image": "a\"b\\c\nd", "code": ""])
        var histogram = Histogram([0.5, 1])
        for seconds in [0.25, 0.5, 0.75, 4] { histogram.observe(seconds) }
        histogram.observe(.milliseconds(1500))
        text.family("b_seconds", .histogram, "Two.")
        text.sample(histogram, ["start": "cold"])
        #expect(
            text.text == """
                # HELP a_total One\\nline \\\\ "quoted".
                # TYPE a_total counter
                a_total 3
                a_total{image="a\\"b\\\\c\\nd",code=""} 2.5
                # HELP b_seconds Two.
                # TYPE b_seconds histogram
                b_seconds_bucket{start="cold",le="0.5"} 2
                b_seconds_bucket{start="cold",le="1.0"} 3
                b_seconds_bucket{start="cold",le="+Inf"} 5
                b_seconds_sum{start="cold"} 7.0
                b_seconds_count{start="cold"} 5

                """)
    }

    @Test func whatHappenedIsCounted() throws {
        let house = try House(maxRunners: 8) { $0.maxIdleRunners = 1 }
        let (first, attempt) = try house.running("first")
        try house.run("a spare") { try house.runners().contains { $0.state == .idle } }
        _ = try house.running("second")
        let before = try lines(house)
        for line in [
            #"bulkhead_jobs{state="running"} 2"#, #"bulkhead_runners{state="busy"} 2"#, "bulkhead_attempts_total 2",
            #"bulkhead_job_start_seconds_count{start="cold"} 1"#, #"bulkhead_job_start_seconds_count{start="warm"} 1"#,
            #"bulkhead_daemon_up{daemon="relayd"} 1"#, "bulkhead_log_bytes_total 1000",
            "bulkhead_masked_bytes_total 900", "bulkhead_retries_total 0", "bulkhead_draining 0",
        ] {
            #expect(before.contains(line), "\(line)")
        }
        house.relay.finish(attempt, .succeeded)
        try house.run(first, to: .succeeded)
        let after = try lines(house)
        #expect(after.contains(#"bulkhead_jobs{state="succeeded"} 1"#))
        for name in ["bulkhead_store_bytes ", "bulkhead_commits_total "] {
            let sizes = try lines(house, of: name)
            #expect(sizes.count == 1 && !sizes.contains(name + "0"))
        }
    }

    @Test func faultsAreCounted() throws {
        let house = try House(maxRunners: 2)
        house.spawner.refusal = { _ in Failure(.engineUnavailable, "refused") }
        let job = try house.submit { $0.schedule.retries = 1 }
        try house.run("two tries") { house.spawner.created.count > 1 }
        let refused = try lines(house, of: #"bulkhead_engine_errors_total{code="engine_unavailable"}"#)
        #expect(refused.count == 1)
        house.spawner.refusal = { _ in nil }
        try house.run("told") { house.relay.jobs.keys.contains { $0.job == job } }
        house.spawner.exit(try #require(try house.runners().first { $0.job == job }).id)
        try house.run("again") { try lines(house).contains("bulkhead_retries_total 1") }
        house.relay.down(losingStreams: false)
        let without = try lines(house)
        #expect(without.contains(#"bulkhead_daemon_up{daemon="relayd"} 0"#))
        #expect(!without.contains { $0.hasPrefix("bulkhead_log_bytes_total") })
    }

    /// The numbers of the queue add up to the queue, whatever keeps a job.
    @Test func theQueueByWhatKeepsIt() throws {
        let house = try House(maxRunners: 1)
        _ = try house.running("first")
        for number in 0..<3 { try house.submit("waits \(number)") }
        try house.submit("other", image: "debian")
        try house.submit("tagged") { $0.schedule.tags = ["big"] }
        let group = Group(name: "deploy", cancelInProgress: false)
        try house.submit("holder", image: "debian") { $0.schedule.group = group }
        try house.submit("member") { $0.schedule.group = group }
        let found = try lines(house, of: "bulkhead_queue_jobs{")
        #expect(
            found == [
                #"bulkhead_queue_jobs{image="busybox",trust="untrusted",reason="all_runners_in_use"} 3"#,
                #"bulkhead_queue_jobs{image="debian",trust="untrusted",reason="all_runners_in_use"} 2"#,
                #"bulkhead_queue_jobs{image="",trust="",reason="tag_not_available"} 1"#,
                #"bulkhead_queue_jobs{image="",trust="",reason="group_is_busy"} 1"#,
            ])
        let states = try lines(house, of: "bulkhead_jobs{")
        #expect(states.contains(#"bulkhead_jobs{state="queued"} 7"#))
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        let drained = try lines(house, of: "bulkhead_queue_jobs{")
        #expect(drained.contains(#"bulkhead_queue_jobs{image="debian",trust="untrusted",reason="draining"} 2"#))
    }

    /// What keeps each job is what `why` says first of it.
    @Test func metricsAndWhySayTheSame() throws {
        let house = try House(maxRunners: 8) { $0.cpuPercent = 100 }
        house.spawner.cpus = 2
        house.spawner.devices = [.init(id: "a", vendor: .amd, name: "x", memoryBytes: 1)]
        try house.restart()
        let gpu = { (count: UInt8, vendor: GPUVendor) in
            { (job: inout JobDefinition) in job.spec.shape.gpus = GPUs(count: count, vendor: vendor) }
        }
        try house.submit("red", gpu(1, .amd))
        try house.run("told") { house.relay.jobs.count == 1 }
        let waiting = [
            try house.submit("large", image: "a") { $0.spec.shape.resources.cpuMillis = 2000 },
            try house.submit("foreign", image: "b") { $0.spec.shape.platform = .linuxRiscv64 },
            try house.submit("green", image: "c", gpu(1, .nvidia)), try house.submit("many", image: "d", gpu(2, .amd)),
            try house.submit("red too", image: "e", gpu(1, .amd)),
        ]
        func compare() throws {
            let found = try lines(house, of: "bulkhead_queue_jobs{")
            for id in waiting {
                let why = try #require(
                    try house.call(SchedulerEdge.ExplainJob(token: Samples.token, job: id)).whys.first)
                let labels = #"image="\#(try house.job(id).image)",trust="untrusted",reason="\#(why.kind.label)""#
                #expect(found.contains("bulkhead_queue_jobs{\(labels)} 1"), "\(labels)")
            }
        }
        try compare()
        house.relay.down(losingStreams: false)
        try compare()
        _ = try house.call(SchedulerEdge.SetDrain(token: Samples.token, drain: true))
        try compare()
    }

    /// Labels are memory in whoever collects them: there are no more of them than pools that are kept.
    @Test func strangersMakeNoLabels() throws {
        let house = try House(maxRunners: 1)
        _ = try house.running("first")
        for number in 0..<80 { try house.submit("\(number)", image: "image-\(number)") }
        let found = try lines(house, of: "bulkhead_queue_jobs{")
        #expect(found.count == 65)
        #expect(found.contains(#"bulkhead_queue_jobs{image="",trust="",reason="behind_others"} 16"#))
    }

    @Test func devicesThatAreLeased() throws {
        let house = try House(maxRunners: 2)
        house.spawner.devices = ["a", "b"].map { .init(id: $0, vendor: .nvidia, name: "x", memoryBytes: 1) }
        house.spawner.uses = [("a", 37), ("b", 99)].map { .init(id: $0, busyPercent: $1, memoryUsedBytes: nil) }
        try house.restart()
        try house.submit { $0.spec.shape.gpus = GPUs(count: 1, vendor: .nvidia) }
        try house.run("told") { !house.relay.jobs.isEmpty }
        let runner = try #require(try house.runners().first).id.hex
        let found = try lines(house, of: "bulkhead_device_busy_ratio")
        #expect(found == [#"bulkhead_device_busy_ratio{device="a",vendor="nvidia",runner="\#(runner)"} 0.37"#])
    }

    @Test func aTokenIsNeeded() throws {
        let house = try House()
        #expect(throws: Failure.self) { try house.metrics(token: "wrong") }
    }
}
