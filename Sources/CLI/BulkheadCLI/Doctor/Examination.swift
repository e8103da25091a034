// Examination: goes the way from nothing to the first green status and looks what is missing on it. It changes nothing.
// Here the house; what a project needs is in the files beside this one.

import Foundation
import JobModel

final class Examination {
    let client: APIClient
    /// The house is one on this machine.
    let isLocal: Bool
    let options: ClientOptions
    let engine: EngineWitness
    private let keys: KeyOptions
    private(set) var findings: [Finding] = []
    /// The key is looked for when something that takes one is missing, once.
    private var keyIsSettled = false
    /// Where the house keeps the token, the key and its logs, if it is one on this machine.
    private let place: OperatorFiles

    init(_ options: ClientOptions, _ keys: KeyOptions, engine: EngineWitness) throws {
        self.options = options
        self.keys = keys
        self.engine = engine
        client = try options.client()
        let host = client.base.host ?? ""
        isLocal = ["127.0.0.1", "localhost", "::1"].contains(host)
        let running = isLocal ? RunningHouse.state(listeningOn: client.base.port ?? 80) : nil
        place = OperatorFiles(state: options.state ?? running)
    }

    var isWell: Bool { !findings.contains { $0.state == .missing } }

    func add(
        _ check: Finding.Check, _ state: Finding.State, project: String? = nil, _ text: String, mend: String? = nil
    ) {
        let finding = Finding(check, state, project: project, text, mend: mend)
        findings.append(finding)
        guard !options.json else { return }
        Terminal.hideProgress()
        for line in finding.lines(mark: Terminal.mark(finding.state)) { Terminal.print(line) }
    }

    func progress(_ what: String) {
        if !options.json { Terminal.showProgress("\(what) ...") }
    }

    /// Ends at the first thing without which nothing further can be asked.
    func run(_ project: String?) async throws {
        defer { Terminal.hideProgress() }
        progress("asking \(client.base)")
        guard await isThere(), let status = try await status() else { return }
        daemons(status)
        await engine(status)
        do {
            progress("asking for projects")
            for project in try await projects(project) { try await examine(project) }
        } catch let failure as CommandFailure {
            // What was found so far is told all the same.
            add(
                .project, .missing, project: project, "what there is of it cannot be asked: \(failure)",
                mend: look(at: "schedulerd"))
        }
    }

    // MARK: The house

    private func isThere() async -> Bool {
        var request = HTTPRequest(method: "GET", url: "\(client.base)", timeout: 10)
        do {
            request = try client.request("GET", "/health")
            // Whoever is there, this is not yet for him.
            request.headers["Authorization"] = nil
            let answer = try await Transfer.run(request)
            struct Health: Decodable { let status: String }
            if answer.status == 200, (try? JSONDecoder().decode(Health.self, from: answer.body)) != nil {
                add(.api, .ok, "\(client.base) answers")
                return true
            }
            add(
                .api, .missing, "what answers at \(client.base) is not Bulkhead (status \(answer.status))",
                mend: "export BULKHEAD_URL=\(APIClient.defaultURL)")
        } catch {
            if isLocal, case .failure(let silent) = engine.path {
                add(.engine, .missing, silent.reason, mend: EngineWitness.start(engineName))
            }
            add(
                .api, .missing, "nothing answers at \(client.base): \(CommandFailure.cause(of: error))",
                mend: isLocal ? start : "export BULKHEAD_URL=\(APIClient.defaultURL)")
        }
        return false
    }

    private var engineName: String { ProcessInfo.processInfo.environment["BULKHEAD_ENGINE"] ?? "" }

    /// Units in systemd's folders: the house is an installed one.
    private var isInstalled: Bool {
        ["/etc", "/usr/lib"].contains {
            FileManager.default.fileExists(atPath: "\($0)/systemd/system/bulkhead.target")
        }
    }

    private var start: String {
        if isInstalled { return "bulkhead init && systemctl enable --now bulkhead.target" }
        let state = options.state.map { " --state \($0)" } ?? ""
        let isUsual = "\(client.base)" == APIClient.defaultURL
        let listen = isUsual ? "" : " --listen \(client.base.host ?? ""):\(client.base.port ?? 80)"
        return "bulkhead up\(state)\(listen)"
    }

    private func status() async throws -> StatusAnswer? {
        do {
            let data = try await client.send(try client.request("GET", "/status"))
            let status = try client.decoded(StatusAnswer.self, data)
            add(.token, .ok, "the API takes the token")
            return status
        } catch let failure as CommandFailure where failure.exit == .unauthorized {
            let what = client.token == nil ? "there is no token at hand" : "the API does not take the token"
            add(
                .token, .missing,
                "\(what); the house keeps it in its state directory, or in \(OperatorFiles.installed)",
                mend: "export BULKHEAD_TOKEN=$(cat \(place.token))")
        } catch let failure as CommandFailure where failure.exit == .unavailable {
            add(.daemons, .missing, "schedulerd does not answer: \(failure)", mend: look(at: "schedulerd"))
        }
        return nil
    }

    private func daemons(_ status: StatusAnswer) {
        // schedulerd tells of itself how often it began; of the others a word is a trouble.
        let away = status.daemons.filter { !$0.connected || $0.name != "schedulerd" && !$0.detail.isEmpty }
        for daemon in away where daemon.name != "spawnerd" || status.engine != nil || !daemon.connected {
            add(.daemons, .missing, "\(daemon.name): \(daemon.detail)", mend: look(at: daemon.name))
        }
        if away.isEmpty { add(.daemons, .ok, "connected: " + status.daemons.map(\.name).joined(separator: ", ")) }
        if status.draining { add(.drain, .missing, "the house drains: no job begins", mend: "bulkhead drain --off") }
    }

    /// `bulkhead up` starts again what ends, so all that is left to do is to read why.
    func look(at daemon: String) -> String {
        isInstalled ? "systemctl restart bulkhead-\(daemon).service" : "tail \(log(of: daemon))"
    }

    func log(of daemon: String) -> String { "\(place.directory)/log/\(daemon).log" }

    private func engine(_ status: StatusAnswer) async {
        guard let name = status.engine else {
            let command = EngineWitness.start((try? engine.path.get()) ?? engineName)
            return add(.engine, .missing, status.engineDetail ?? "it does not answer", mend: command)
        }
        add(.engine, .ok, name)
        do throws(EngineWitness.Silent) {
            let info = try await engine.info()
            guard name.hasSuffix(" \(info.ServerVersion ?? "")") else {
                throw EngineWitness.Silent(reason: "the engine here is another than the house's; give --engine")
            }
            if info.hasUserNamespaces { return add(.userns, .ok, "containers run in user namespaces") }
            add(
                .userns, .missing,
                #"containers run in none; "userns-remap": "default" belongs into /etc/docker/daemon.json"#,
                mend: "${EDITOR:-vi} /etc/docker/daemon.json && systemctl restart docker")
        } catch {
            add(.userns, .unknown, "the engine cannot be asked from here: \(error.reason)")
        }
    }

    // MARK: The key

    /// Before the first thing that an order mends.
    func settleKey() {
        guard !keyIsSettled else { return }
        keyIsSettled = true
        do {
            guard try keys.optional(options.files) == nil else { return add(.key, .ok, "there is a key for orders") }
            add(
                .key, .missing, "there is no key at hand; it lies beside the token of the house",
                mend: "export BULKHEAD_KEY=\(place.key)")
        } catch {
            add(.key, .missing, "\(error)", mend: "export BULKHEAD_KEY=\(place.key)")
        }
    }
}

extension Terminal {
    /// A state of the way, coloured on a terminal; all of the same width.
    fileprivate static func mark(_ state: Finding.State) -> String {
        let (word, colour) =
            switch state {
            case .ok: ("ok     ", "32")
            case .missing: ("MISSING", "31")
            case .unknown: ("unknown", "33")
            }
        return isOutputTerminal ? "\u{1B}[\(colour)m\(word)\u{1B}[0m" : word
    }

    /// On a terminal only, and over the one before it.
    fileprivate static func showProgress(_ text: String) {
        guard isErrorTerminal else { return }
        write(Data("\r\u{1B}[2K\(printable(text))".utf8), to: .standardError)
    }

    fileprivate static func hideProgress() {
        guard isErrorTerminal else { return }
        write(Data("\r\u{1B}[2K".utf8), to: .standardError)
    }
}
