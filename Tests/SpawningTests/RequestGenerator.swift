// Requests for the tests of the policy: all boundary values first, then a seeded mixture of good, edgy and hostile
// ones.

import SpawnPolicy

/// SplitMix64: the same requests for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

struct RequestGenerator {
    private var random: Seeded

    init(seed: UInt64) { random = Seeded(seed) }

    static let cpus: [UInt32] = [0, 9, 10, 1500, 4000, 4001, .max]
    static let memories: [UInt64] = [0, 16 << 20 - 1, 16 << 20, 4 << 30, 4 << 30 + 1, 1 << 63, .max]
    static let processes: [UInt32] = [0, 7, 8, 4096, 4097, .max]
    static let disks: [UInt64] = [0, 1 << 20 - 1, 1 << 20, 1 << 20 + 1, 16 << 20, 2 << 30, 2 << 30 + 1, .max]
    static let hostileImages = [
        "", "-rm", "/etc", "a/../../info", "a//b", "a b", "a\nb", "a\r\nHost: x", "a?b", "a#b", "a%2e", "ünicode", "a:",
        "a\u{0}b", "a\"b", "a\\b", "a\",\"Privileged\":true,\"x\":\"", "a'b", "$(id)", "`id`", "a=b", "a,uid=0",
        "a\u{202e}b",
        String(repeating: "a", count: 256), String(repeating: "a", count: 128 << 10), "a\u{1b}[31m", "@x", ".a", "a.",
        "_a",
    ]
    static let hostileIdentifiers = [
        "", "0011", "00112233445566778899AABBCCDDEEFF", "../../../../../../../../../../x", "/var/run/docker.sock",
        "00112233445566778899aabbccddee f", "00112233445566778899aabbccddeef\"", "00112233445566778899aabbccddeef\n",
        "00112233445566778899aabbccddeeff0", "００１１２２３３４４５５６６７７８８９９ａａｂｂｃｃｄｄｅｅｆｆ", "0011223344556677\u{0}899aabbccddeeff",
    ]

    /// Every combination of the resources' boundary values, in every class of requests.
    static func boundaries(_ body: (RunnerRequest) -> Void) {
        var asked = request()
        for (profile, steps, trust) in classes {
            (asked.profile, asked.untrustedSteps, asked.trust) = (profile, steps, trust)
            for cpu in cpus {
                for memory in memories {
                    for count in processes {
                        for disk in disks {
                            asked.resources = RunnerResources(
                                cpuMillis: cpu, memoryBytes: memory, pids: count, diskBytes: disk)
                            body(asked)
                        }
                    }
                }
            }
        }
    }

    /// Requests that differ in these share no template.
    static let classes: [(RunnerProfile, Bool, RunnerTrust)] = RunnerProfile.allCases.flatMap { profile in
        [false, true].flatMap { steps in RunnerTrust.allCases.map { (profile, steps, $0) } }
    }

    static let hostileDevices = [
        "", "/dev/mem", "/dev/sda", "../sda", "/dev/dri/renderD128", "renderD128", amdOne + ",", amdOne.uppercased(),
        "\(amdOne),\(nvidiaOne)", "all", "0", "GPU-11111111-1111-1111-1111-111111111112", "nvidia.com/gpu=all",
        "\",\"PathOnHost\":\"/dev/sda", "0000:00:02.0\u{0}",
    ]
    private static let devices = [intelOne, amdTwo, amdOne, nvidiaOne, nvidiaTwo]

    mutating func next() -> RunnerRequest {
        var asked = plain()
        // Three of four want none; of the rest most are right, and some are so by chance only.
        guard random.next() % 4 == 0 else { return asked }
        asked.devices = Self.devices.shuffled(using: &random).prefix(Int(random.next() % 4)).map { $0 }
        if let hostile = oneOf(17, Self.hostileDevices) { asked.devices.append(hostile) }
        if random.next() % 17 == 0, let first = asked.devices.first { asked.devices.append(first) }
        let count = random.next() % 17 == 0 ? UInt8(random.next() % 5) : UInt8(asked.devices.count)
        let vendor = random.next() % 3 == 0 ? DeviceVendor.allCases[Int(random.next() % 3)] : nil
        asked.gpus = random.next() % 17 == 0 ? nil : RunnerGPUs(count: count, vendor: vendor)
        return asked
    }

    private mutating func plain() -> RunnerRequest {
        RunnerRequest(
            runner: identifier(), epoch: random.next() >> (random.next() & 63), image: image(), platform: hostPlatform,
            profile: Bool.random(using: &random) ? .strict : .build,
            resources: RunnerResources(
                cpuMillis: oneOf(31, Self.cpus) ?? .random(in: 10...4000, using: &random),
                memoryBytes: oneOf(31, Self.memories) ?? .random(in: 2 << 30...4 << 30, using: &random),
                pids: oneOf(31, Self.processes) ?? .random(in: 8...4096, using: &random),
                diskBytes: oneOf(31, Self.disks) ?? .random(in: 1 << 20...2 << 30, using: &random)),
            untrustedSteps: Bool.random(using: &random),
            trust: RunnerTrust.allCases[Int(random.next() % 3)], grant: identifier())
    }

    /// One of the values in one of so many cases.
    private mutating func oneOf<Value>(_ cases: UInt64, _ values: [Value]) -> Value? {
        random.next() % cases == 0 ? values[Int(random.next() % UInt64(values.count))] : nil
    }

    private mutating func identifier() -> String {
        if let hostile = oneOf(29, Self.hostileIdentifiers) { return hostile }
        let digits = Array("0123456789abcdef".utf8)
        let (high, low) = (random.next(), random.next())
        let bytes = (0..<32).map { digits[Int((($0 < 16 ? high : low) >> (UInt64($0 & 15) * 4)) & 15)] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Names out of good characters, now and then with one that is not; some of them happen to be refused.
    private mutating func image() -> String {
        if let hostile = oneOf(29, Self.hostileImages) { return hostile }
        let good = Array("abcXYZ019abcXYZ019abcXYZ019._-/:@".utf8)
        var bytes = (0...(random.next() % 24)).map { _ in good[Int(random.next() % UInt64(good.count))] }
        if random.next() % 31 == 0 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 127) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What the policy has to let through, said a second time and in other words.
    static func isAcceptable(_ request: RunnerRequest) -> Bool {
        let (asked, image) = (request.resources, request.image)
        return request.runner.wholeMatch(of: /[0-9a-f]{32}/.asciiOnlyCharacterClasses()) != nil
            && request.grant.wholeMatch(of: /[0-9a-f]{32}/.asciiOnlyCharacterClasses()) != nil
            && isImageName(image)
            && (10...4000).contains(asked.cpuMillis) && (16 << 20...4 << 30).contains(asked.memoryBytes)
            && (8...4096).contains(asked.pids) && (1 << 20...2 << 30).contains(asked.diskBytes)
            && asked.diskBytes <= asked.memoryBytes
            && areDevices(request.devices, request.gpus)
    }

    private static func areDevices(_ asked: [String], _ gpus: RunnerGPUs?) -> Bool {
        guard let gpus else { return asked.isEmpty }
        let vendors: [String: DeviceVendor] = [
            intelOne: .intel, amdTwo: .amd, amdOne: .amd, nvidiaOne: .nvidia, nvidiaTwo: .nvidia,
        ]
        let found = Set(asked).compactMap { vendors[$0] }
        return gpus.count > 0 && found.count == Int(gpus.count) && asked.count == found.count
            && (gpus.vendor == nil || Set(found) == [gpus.vendor])
    }

    private static func isImageName(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        guard let first = scalars.first, let last = scalars.last, scalars.count <= 255 else { return false }
        let middle: (Unicode.Scalar) -> Bool = { isPlain($0) || [".", "_", "-", "/", ":", "@"].contains($0) }
        let doubled = zip(scalars, scalars.dropFirst()).contains { $0 == $1 && ($0 == "." || $0 == "/") }
        return isPlain(first) && isPlain(last) && scalars.allSatisfy(middle) && !doubled
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }
}
