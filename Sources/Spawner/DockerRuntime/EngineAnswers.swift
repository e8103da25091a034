// What is read of the engine's answers, and its meaning in Runtime's words. Members that are not named here are not
// looked at; a missing one counts as nothing.

import FoundationEssentials
import Runtime
import SpawnPolicy

enum EngineAnswers {
    /// `garbled` if the bytes are not the JSON that this call answers with.
    static func decode<Value: Decodable>(_: Value.Type, _ body: [UInt8]) throws(RuntimeError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(body))
        } catch {
            throw .garbled("an answer that is not the expected JSON")
        }
    }

    /// The engine's own words for an error, one line, bounded: they go into logs and to operators.
    static func message(_ body: [UInt8]) -> String {
        let text = (try? JSONDecoder().decode(Message.self, from: Data(body)))?.message ?? "no reason given"
        return printable(text, 300)
    }

    /// One line of ASCII: part of it may be what an image's author wrote.
    private static func printable(_ text: String, _ limit: Int) -> String {
        String(decoding: text.utf8.prefix(limit).map { (0x20...0x7E).contains($0) ? $0 : 0x20 }, as: UTF8.self)
    }

    struct Message: Decodable { let message: String }

    /// Names one container in later calls: something that is none, or an empty one, would ask about another thing, and
    /// its 404 would count as gone.
    struct Identifier: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            text = try container.decode(String.self)
            guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy(Self.isLetterOrDigit) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an id")
            }
        }

        private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }
    }

    struct Created: Decodable { let Id: Identifier }

    struct Wait: Decodable {
        struct Problem: Decodable { let Message: String? }
        let StatusCode: Int
        let Error: Problem?
    }

    struct Info: Decodable {
        let SecurityOptions: [String]?
        let ServerVersion: String?
        let NCPU: UInt32?
        let MemTotal: UInt64?
        let Architecture: String?

        var facts: HostFacts {
            let options = (SecurityOptions ?? []).map { $0.split(separator: ",").first ?? "" }
            let platform: RunnerPlatform? =
                switch Architecture {
                case "x86_64", "amd64": .amd64
                case "aarch64", "arm64": .arm64
                case "riscv64": .riscv64
                default: nil
                }
            return HostFacts(
                engine: "docker", version: EngineAnswers.printable(ServerVersion ?? "", 48),
                userNamespaces: options.contains("name=userns") || options.contains("name=rootless"),
                cpus: NCPU ?? 0, memoryBytes: MemTotal ?? 0, platforms: platform.map { [$0] } ?? [])
        }
    }

    struct Image: Decodable {
        struct Configuration: Decodable {
            let Env: [String]?
            let Volumes: [String: EngineJSON]?
            let Labels: [String: String]?
        }
        let Id: String
        let Os: String?
        let Architecture: String?
        let Config: Configuration?

        var facts: ImageFacts {
            ImageFacts(
                id: Id, operatingSystem: Os ?? "linux", architecture: Architecture ?? "",
                environmentNames: (Config?.Env ?? []).map { String($0.prefix(while: { $0 != "=" })) },
                volumes: Array((Config?.Volumes ?? [:]).keys), labelKeys: Array((Config?.Labels ?? [:]).keys))
        }
    }

    struct Container: Decodable {
        struct Status: Decodable {
            let Status: String
            let ExitCode: Int?
            let OOMKilled: Bool?
            let Error: String?
        }
        struct Configuration: Decodable { let Labels: [String: String]? }
        let Id: Identifier
        let State: Status
        let Config: Configuration?

        var status: ContainerStatus {
            ContainerStatus(
                id: Id.text, state: EngineAnswers.state(State.Status), exitCode: UInt16(clamping: State.ExitCode ?? 0),
                outOfMemory: State.OOMKilled ?? false, detail: EngineAnswers.printable(State.Error ?? "", 200),
                instance: Config?.Labels?[SpawnPolicy.instanceLabel] ?? "",
                runner: Config?.Labels?[SpawnPolicy.runnerLabel] ?? "")
        }
    }

    /// What a plan is compared with, and nothing else of the much that an inspection says.
    struct Inspection: Decodable {
        let container: Container
        let compared: EngineJSON

        init(from decoder: any Decoder) throws {
            container = try Container(from: decoder)
            let members = try decoder.container(keyedBy: EngineJSON.Key.self)
            var compared: [String: EngineJSON] = [:]
            for key in members.allKeys where ContainerSpec.comparedMembers.contains(key.stringValue) {
                compared[key.stringValue] = try members.decode(EngineJSON.self, forKey: key)
            }
            self.compared = .object(compared)
        }
    }

    struct Listed: Decodable {
        let Names: [String]?
        let State: String
        let Labels: [String: String]?

        var container: ListedContainer {
            let name = Names?.first { $0.hasPrefix("/") && !$0.dropFirst().contains("/") } ?? "/"
            return ListedContainer(
                name: String(name.dropFirst()), state: EngineAnswers.state(State),
                runner: Labels?[SpawnPolicy.runnerLabel] ?? "", grant: Labels?[SpawnPolicy.grantLabel] ?? "",
                epoch: Labels?[SpawnPolicy.epochLabel].flatMap { UInt64($0) } ?? 0,
                devices: (Labels?[SpawnPolicy.devicesLabel] ?? "").split(separator: ",").map(String.init))
        }
    }

    private static func state(_ word: String) -> ContainerState {
        switch word {
        case "created", "configured", "initialized": .created
        case "running", "paused", "restarting", "stopping": .running
        default: .exited
        }
    }
}
