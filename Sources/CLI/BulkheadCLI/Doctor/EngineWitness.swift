// EngineWitness: what the container engine says itself, where its socket is within reach. The house tells less of it.

import Foundation

struct EngineWitness {
    struct Info: Decodable {
        let ServerVersion: String?
        let SecurityOptions: [String]?

        var hasUserNamespaces: Bool {
            (SecurityOptions ?? []).contains { ["name=userns", "name=rootless"].contains($0.prefix { $0 != "," }) }
        }
    }

    /// Why it cannot be asked.
    struct Silent: Error {
        let reason: String
    }

    /// As `bulkhead up` would find it.
    let path: Result<String, Silent>

    init(option: String?) {
        do {
            path = .success(try Preparation.engineSocket(option))
        } catch {
            path = .failure(Silent(reason: "\(error)"))
        }
    }

    func info() async throws(Silent) -> Info {
        let answer = try await ask("/info")
        do {
            return try JSONDecoder().decode(Info.self, from: answer.body)
        } catch {
            throw Silent(reason: "what answers there is no container engine")
        }
    }

    func has(image: String) async throws(Silent) -> Bool {
        try await ask("/images/\(image)/json").status == 200
    }

    private func ask(_ target: String) async throws(Silent) -> HTTPAnswer {
        let socket = try path.get()
        var request = HTTPRequest(method: "GET", url: "http://engine\(target)", timeout: 10)
        request.socket = socket
        do {
            return try await Transfer.run(request)
        } catch {
            throw Silent(reason: "\(socket): \(CommandFailure.cause(of: error))")
        }
    }

    /// The command that starts it.
    static func start(_ path: String) -> String {
        path.contains("/bulkhead-engine-") ? "make engine" : "systemctl start docker"
    }

    /// The command that brings an image.
    func pull(_ image: String) -> String {
        if ["bulkhead/busybox", "bulkhead/debian"].contains(image) { return "make images" }
        let usual = "/var/run/docker.sock"
        guard let path = try? path.get(), path != usual else { return "docker pull \(image)" }
        return "docker --host unix://\(path) pull \(image)"
    }
}
