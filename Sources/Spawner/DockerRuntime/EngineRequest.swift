// The closed set of what spawnerd can say to an engine: nine calls. There is none that runs a second process in a
// container, copies files, builds, pulls, commits, renames or updates (R13).
//
// No version stands in front of the paths. 20.10 knows nothing above 1.41 and 29 nothing below 1.44, so that no number
// suits both; without one each speaks its own, the fields used here mean the same in all of them, and `verify` holds
// what was made against what was planned in any case.

enum EngineRequest {
    case info
    case image(String)
    case create(name: String, body: [UInt8])
    case inspect(String)
    case attach(String)
    case wait(String, condition: String)
    case start(String)
    case remove(String)
    case list(instance: String)

    private var methodAndTarget: (String, String) {
        switch self {
        case .info: ("GET", "/info")
        case .image(let name): ("GET", "/images/\(name)/json")
        case .create(let name, _): ("POST", "/containers/create?name=\(name)")
        case .inspect(let name): ("GET", "/containers/\(name)/json")
        case .attach(let name): ("POST", "/containers/\(name)/attach?stream=1&stdin=1&stdout=1&stderr=1")
        case .wait(let name, let condition): ("POST", "/containers/\(name)/wait?condition=\(condition)")
        case .start(let name): ("POST", "/containers/\(name)/start")
        case .remove(let name): ("DELETE", "/containers/\(name)?v=true&force=true")
        case .list(let instance):
            // filters={"label":["bulkhead.instance=..."]}
            (
                "GET",
                "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22bulkhead.instance%3D\(instance)%22%5D%7D"
            )
        }
    }

    /// The container, image or instance that is meant; nil: none is.
    private var name: String? {
        switch self {
        case .info: nil
        case .image(let name), .create(let name, _), .inspect(let name), .attach(let name), .wait(let name, _),
            .start(let name), .remove(let name), .list(let name):
            name
        }
    }

    /// The whole request; nil if a name is empty or cannot stand in a URL (the policy lets none through).
    var bytes: [UInt8]? {
        let (method, target) = methodAndTarget
        guard name?.isEmpty != true, target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !target.contains("//")
        else { return nil }
        var body: [UInt8] = []
        if case .create(_, let content) = self { body = content }
        // One connection carries one call: nothing that an answer leaves behind can be taken for the next one's.
        let connection = isUpgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : "Connection: close\r\n"
        let type = body.isEmpty ? "" : "Content-Type: application/json\r\n"
        let head = "\(method) \(target) HTTP/1.1\r\nHost: engine\r\n\(connection)\(type)"
        return Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    var isUpgrade: Bool { if case .attach = self { true } else { false } }

    /// What the answer's body may measure, in bytes.
    var bodyLimit: Int {
        switch self {
        case .list: 8 << 20
        case .info, .image, .inspect: 1 << 20
        default: 64 << 10
        }
    }

    /// Until the answer's head, and until its end. A wait ends when the container does.
    var deadlines: (head: Duration, end: Duration?) {
        switch self {
        case .info, .image, .inspect, .list, .attach: (.seconds(10), .seconds(10))
        case .create, .start, .remove: (.seconds(60), .seconds(60))
        case .wait: (.seconds(10), nil)
        }
    }
}
