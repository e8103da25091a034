// A push of 25 MiB: how long it takes to read, and how much memory beside its body.

import Deliveries
import Files
import ForgeModel
import GitHub
import Posix

enum LargestDelivery {
    static func measure() throws {
        let commit = #"{"id":"x","message":"a line\nanother é","added":["a/b.c","d/e.f"],"author":{"name":"Ada"}},"#
        let front = """
            {"ref":"refs/heads/main","before":"\(String(repeating: "a", count: 40))",
            "after":"\(String(repeating: "b", count: 40))","repository":{"id":1,"full_name":"a/b"},
            "sender":{"id":2,"login":"ada"},"commits":[
            """
        var body: [UInt8] = []
        body.reserveCapacity(RawDelivery.maxBytes)
        body += Array(front.utf8)
        while body.count < RawDelivery.maxBytes - 200 { body += Array(commit.utf8) }
        body += Array("{}]}".utf8)
        let headers = Headers([("X-GitHub-Event", "push"), ("Content-Type", "application/json")])
        let delivery = Delivery(verified: RawDelivery(headers: headers, body: body))
        let (before, start) = (try peak(), Posix.monotonicNow())
        guard case .push = try GitHubEvents.event(delivery) else { throw Failed(description: "no push") }
        let milliseconds = Double(Posix.monotonicNow() - start) / 1e6
        print("a push of \(body.count >> 20) MiB: \(milliseconds) ms, \(try peak() - before) KiB of memory beside it")
    }

    /// The most memory that this process had, in KiB.
    private static func peak() throws -> Int {
        let status = String(decoding: try Posix.readFile("/proc/self/status", limit: 65_536), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        guard let word = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first,
            let size = Int(word)
        else { throw Failed(description: "no VmHWM") }
        return size
    }
}
