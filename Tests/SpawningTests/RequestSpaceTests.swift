import DockerRuntime
import Foundation
import SpawnPolicy
import Testing
import Wire

/// R1, R2, R3, R17: whatever is asked for, what is sent is the template outside the named leaves (`Leaf`), byte for
/// byte.
@Suite struct RequestSpaceTests {
    private static let house = site(untrustedRuntime: "runsc")

    /// A template for each class of requests.
    private let templates: [String: Template]

    init() throws {
        var templates: [String: Template] = [:]
        for (profile, steps, trust) in RequestGenerator.classes {
            let asked = request(profile: profile, untrustedSteps: steps, trust: trust)
            templates[Self.key(asked)] = Template(ContainerSpec(try boundPlan(asked, site: Self.house)).body)
        }
        self.templates = templates
    }

    private static func key(_ request: RunnerRequest) -> String {
        "\(request.profile) \(request.untrustedSteps) \(request.trust)"
    }

    private struct Count: Sendable {
        var planned = 0
        var denied = 0
        var withDevices = 0
        var longest = 0
        var wrong: [String] = []

        mutating func add(_ other: Count) {
            planned += other.planned
            denied += other.denied
            withDevices += other.withDevices
            longest = max(longest, other.longest)
            wrong += other.wrong
        }
    }

    private func check(_ asked: RunnerRequest, _ count: inout Count) {
        let result = SpawnPolicy.plan(asked, site: Self.house, inventory: inventory)
        let acceptable = RequestGenerator.isAcceptable(asked)
        guard case .success(let plan) = result else {
            count.denied += 1
            if acceptable { count.wrong.append("denied: \(asked)") }
            return
        }
        count.planned += 1
        if !asked.devices.isEmpty { count.withDevices += 1 }
        guard acceptable, case .success(let bound) = plan.bound(to: anImage()) else {
            return count.wrong.append("planned: \(asked)")
        }
        let body = ContainerSpec(bound).body.encoded
        count.longest = max(count.longest, body.count)
        if body != templates[Self.key(asked)]?.filled(for: asked) || plan.name != "bulkhead-test-\(asked.runner)" {
            count.wrong.append("differs: \(asked)")
        }
    }

    @Test("R1: a million requests, and what is sent differs from the template in the named leaves only")
    func aMillionRequests() async throws {
        #expect(templates.count == 12 && templates.values.allSatisfy(\.isComplete))
        var count = Count()
        RequestGenerator.boundaries { check($0, &count) }
        let parts = await withTaskGroup(of: Count.self) { group in
            for part in 0..<UInt64(8) {
                group.addTask {
                    var generator = RequestGenerator(seed: 0xB01_7EAD + part)
                    var count = Count()
                    for _ in 0..<125_000 { check(generator.next(), &count) }
                    return count
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for part in parts { count.add(part) }
        #expect(count.planned + count.denied >= 1_000_000)
        // Neither half of the generator is idle.
        #expect(count.withDevices > 20_000)
        #expect(count.planned > 400_000 && count.denied > 100_000, "\(count.planned) planned, \(count.denied) denied")
        #expect(count.wrong.isEmpty, "\(count.wrong.count): \(count.wrong.prefix(3))")
        #expect(count.longest < 32 * 1024)
    }

    /// The control: one byte of difference outside a leaf, or in a leaf another value, is seen.
    @Test("R1: the comparison sees a change of any other field")
    func theComparisonSees() throws {
        let asked = request()
        let template = try #require(templates[Self.key(asked)])
        guard case .object(let sent) = ContainerSpec(try boundPlan(asked, site: Self.house)).body,
            case .object(let host)? = sent["HostConfig"]
        else { throw TimedOut() }
        #expect(EngineJSON.object(sent).encoded == template.filled(for: asked))
        let changes: [(String, EngineJSON)] = [
            ("Privileged", .bool(true)), ("NetworkMode", .text("host")), ("PidMode", .text("host")),
            ("IpcMode", .text("host")), ("UTSMode", .text("host")), ("UsernsMode", .text("host")),
            ("CgroupnsMode", .text("host")), ("Binds", .list([.text("/:/host")])), ("CapAdd", .list([.text("ALL")])),
            ("Devices", .list([.object(["PathOnHost": .text("/dev/sda")])])), ("MaskedPaths", .list([])),
            ("Memory", .number(1)), ("Extra", .null),
        ]
        for (key, value) in changes {
            var host = host
            host[key] = value
            let changed = EngineJSON.object(sent.merging(["HostConfig": .object(host)]) { $1 })
            #expect(changed.encoded != template.filled(for: asked), "\(key)")
        }
    }

    /// What the constant part of each template says of the worst: the words are there once, and say no.
    @Test("R1, R17: privilege, host namespaces, foreign binds, and devices without a lease are constants that say no")
    func theWorstIsConstant() throws {
        for (profile, steps, trust) in RequestGenerator.classes {
            let asked = request(profile: profile, untrustedSteps: steps, trust: trust)
            let text = String(decoding: ContainerSpec(try boundPlan(asked)).body.encoded, as: UTF8.self)
            for words in [
                #""Privileged":false"#, #""NetworkMode":"none""#, #""PidMode":"""#, #""IpcMode":"private""#,
                #""UTSMode":"""#, #""UsernsMode":"""#, #""CgroupnsMode":"private""#, #""CgroupParent":"""#,
                #""Devices":[]"#, #""DeviceRequests":[]"#, #""DeviceCgroupRules":[]"#, #""Binds":[]"#,
                #""VolumesFrom":[]"#, #""Volumes":{}"#, #""PortBindings":{}"#, #""CapDrop":["ALL"]"#, #""Sysctls":{}"#,
            ] {
                let key = words.prefix { $0 != ":" }
                #expect(text.components(separatedBy: words).count == 2, "\(words)")
                #expect(text.components(separatedBy: key + ":").count == 2, "\(key)")
            }
            #expect(text.components(separatedBy: #""Type":"bind""#).count == 3 && !text.contains(#""host""#))
            #expect(!text.contains("unconfined") && !text.contains("disable"))
        }
    }

    /// A request has no word for anything else: a new field of the wire has to be looked at here.
    @Test("R3, R4, R17: no variable, path or command can be asked for, and a device by its id alone")
    func theLanguageIsClosed() {
        func fields(_ value: Any) -> [String] { Mirror(reflecting: value).children.compactMap(\.label) }
        let asked = House.request(.random())
        #expect(fields(asked) == ["runner", "epoch", "shape", "trust", "grant", "devices"])
        #expect(fields(asked.shape) == ["image", "platform", "profile", "resources", "untrustedSteps", "gpus"])
        #expect(fields(GPUs(count: 1, vendor: nil)) == ["count", "vendor"])
        #expect(fields(asked.shape.resources) == ["cpuMillis", "memoryBytes", "pids", "diskBytes"])
        #expect(
            fields(request()) == [
                "runner", "epoch", "image", "platform", "profile", "resources", "untrustedSteps", "trust", "grant",
                "gpus", "devices",
            ])
    }

    // MARK: - The bytes

    @Test("R2: the largest body is far below what authorization plugins look at")
    func theLargestBody() throws {
        // As many variables as an image may have, of characters that have to be escaped.
        let names = (0..<128).map { "\"\\\"\\" + String(repeating: "\"", count: 120) + String(1000 + $0) }
        let image = anImage(environment: names)
        let largest = ContainerSpec(
            try boundPlan(request(image: String(repeating: "a", count: 255), profile: .build), image: image))
        #expect(largest.body.encoded.count < ContainerSpec.bodyLimit && ContainerSpec.bodyLimit == 64 * 1024)
        // The control: one variable more is one too many.
        #expect(throws: Denial.self) { try boundPlan(image: anImage(environment: names + ["x"])) }
    }

    @Test("R2: no key comes twice, or in another case")
    func noKeyComesTwice() throws {
        for (profile, steps, trust) in RequestGenerator.classes {
            let asked = request(profile: profile, untrustedSteps: steps, trust: trust)
            let body = ContainerSpec(try boundPlan(asked, image: anImage(environment: ["\"A\":", "a"]))).body.encoded
            #expect(try KeyScanner.repeated(body).isEmpty)
        }
        // The control.
        #expect(try KeyScanner.repeated(Array(#"{"HostConfig":{},"a":[{"x":1,"X":2}]}"#.utf8)) == ["x"])
        #expect(try KeyScanner.repeated(Array(#"{"HostConfig":{},"hostconfig":{}}"#.utf8)) == ["hostconfig"])
        #expect(try KeyScanner.repeated(Array(#"{"HostConfig":{},"\u0048ostConfig":{}}"#.utf8)) == ["hostconfig"])
    }

    @Test("R3: text arrives as it was sent, whatever is in it")
    func textArrivesAsItWas() throws {
        var random = Seeded(3)
        var texts = [
            "\"", "\\", "\n", "a=b", "\u{0}", "\u{7f}\u{80}", "\r\n", "\u{2028}", "\\u0022",
            "\",\"Privileged\":true,\"",
        ]
        texts.append(String(repeating: "\"\\\n\u{0}=", count: 26 << 10))
        for _ in 0..<2000 {
            let scalars = (0..<Int(random.next() % 20)).compactMap { _ in Unicode.Scalar(UInt32(random.next() % 0x3000))
            }
            texts.append(String(String.UnicodeScalarView(scalars)))
        }
        for text in texts {
            let bytes = EngineJSON.object(["Env": .list([.text(text)])]).encoded
            let read = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: [String]]
            #expect(read?["Env"]?.first.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test("R3: an image's variable with anything odd in its name is refused, its value is never read")
    func oddVariablesAreRefused() throws {
        for name in ["", "a b", "a\nb", "a\u{0}b", "ü", String(repeating: "a", count: 129), "a\u{1b}"] {
            #expect(throws: Denial.self, "\(name)") { try boundPlan(image: anImage(environment: [name])) }
        }
        let bound = try boundPlan(image: anImage(environment: ["LD_PRELOAD", "PATH", "BULKHEAD_IMAGE", "DOCKER_HOST"]))
        #expect(bound.clearedVariables == ["DOCKER_HOST", "LD_PRELOAD"])
    }
}
