// The part of an engine's behaviour that the driver's tests need: it remembers what was created and gives an honest
// account of it, or one that a test has tampered with.

import Foundation
import Posix

final class EngineSimulation {
    typealias Object = [String: Any]

    /// The account of the container, as an inspection gives it.
    private(set) var inspection: Object?
    private(set) var createBody: [UInt8] = []
    /// Changes the account before it is given.
    var tamper: (inout Object) -> Void = { _ in }

    func script(_ request: FakeEngine.Request) -> FakeEngine.Script {
        switch (request.method, request.path) {
        case ("POST", "/containers/create"):
            createBody = request.body
            inspection = Self.account(of: request)
            return .send(FakeEngine.response("201 Created", #"{"Id":"c0ffee","Warnings":[]}"#))
        case ("GET", let path) where path.hasPrefix("/containers/"):
            guard var account = inspection else { return .send(FakeEngine.response("404 Not Found", "{}")) }
            tamper(&account)
            guard let data = try? JSONSerialization.data(withJSONObject: account) else { return .hang }
            return .send(FakeEngine.chunked("200 OK", String(decoding: data, as: UTF8.self)))
        default: return .send(FakeEngine.response("500 Internal Server Error", #"{"message":"not simulated"}"#))
        }
    }

    private static func account(of request: FakeEngine.Request) -> Object {
        guard let body = try? JSONSerialization.jsonObject(with: Data(request.body)), var config = body as? Object,
            let host = config.removeValue(forKey: "HostConfig") as? Object,
            let mounts = host["Mounts"] as? [Object]
        else { return [:] }
        return [
            "Id": "c0ffee", "Name": "/" + (request.target.components(separatedBy: "name=").last ?? ""),
            "Image": config["Image"] ?? "", "Path": (config["Entrypoint"] as? [String])?.first ?? "",
            "Args": config["Cmd"] ?? [], "AppArmorProfile": "",
            "State": ["Status": "created", "ExitCode": 0, "OOMKilled": false, "Error": ""],
            "Config": config, "HostConfig": host,
            // In any order but the one in which they were asked for.
            "Mounts": mounts.reversed().map { mount in
                [
                    "Type": "bind", "Source": mount["Source"] ?? "", "Destination": mount["Target"] ?? "", "Mode": "",
                    "RW": false, "Propagation": "rprivate",
                ] as Object
            },
        ]
    }

    /// Every place in a tree that holds no further tree (empty ones count), with a way to replace its value.
    static func leaves(_ value: Any, _ path: [PathStep] = []) -> [(path: [PathStep], value: Any)] {
        if let object = value as? Object, !object.isEmpty {
            return object.sorted { $0.key < $1.key }.flatMap { leaves($0.value, path + [.key($0.key)]) }
        }
        if let list = value as? [Any], !list.isEmpty {
            return list.enumerated().flatMap { leaves($0.element, path + [.index($0.offset)]) }
        }
        return [(path, value)]
    }

    enum PathStep {
        case key(String), index(Int)
    }

    static func replacing(_ path: ArraySlice<PathStep>, in value: Any, with new: Any) -> Any {
        guard let step = path.first else { return new }
        switch step {
        case .key(let key):
            var object = value as? Object ?? [:]
            object[key] = replacing(path.dropFirst(), in: object[key] ?? NSNull(), with: new)
            return object
        case .index(let index):
            var list = value as? [Any] ?? []
            list[index] = replacing(path.dropFirst(), in: list[index], with: new)
            return list
        }
    }
}
