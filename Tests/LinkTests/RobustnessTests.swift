// Peers that come, go and stop in the middle: nothing of theirs stays, and the next one is served.

import Endpoints
import Files
import Link
import Posix
import Testing
import Wire

extension LinkTests {
    @Suite struct Robustness {
        @Test(arguments: allProbes) func disconnectAtEveryByte(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                let rig = try Rig<Edge>()
                let hello = try RawFrame.hello(edge).bytes
                let probe = try edge.probeFrame(id: 1)
                let conversation = hello + probe.bytes
                try rig.serveGoodClient("nothing")
                try rig.wait("quiet") { rig.server.connectionCount == 0 }
                let open = try openDescriptors()
                for length in 0...conversation.count {
                    let before = rig.seen.disconnects.count
                    try leave(rig, conversation, hello.count, length, probe)
                    // Each of them is noticed; a peer that has not said hello, too.
                    try rig.wait("byte \(length)") {
                        rig.server.connectionCount == 0 && rig.seen.disconnects.count == before + 1
                    }
                }
                #expect(try openDescriptors() == open)
                try rig.serveGoodClient("everything")
            }
            try check(edge)
        }

        private func leave<Edge: ProbeEdge>(
            _ rig: Rig<Edge>, _ conversation: [UInt8], _ hello: Int, _ length: Int, _ probe: RawFrame
        ) throws {
            let peer = try rig.connect()
            if length == 0 { return }
            peer.send(Array(conversation[0..<min(length, hello)]))
            if length > hello { peer.send(Array(conversation[hello..<length]), fds: probe.fds) }
        }

        @Test(arguments: allProbes) func halfOpenPeers(_ edge: any ProbeEdge.Type) throws {
            func check<Edge: ProbeEdge>(_ edge: Edge.Type) throws {
                let rig = try Rig<Edge>()
                let peer = try rig.connect()
                peer.send(try .hello(edge))
                peer.send(try edge.probeFrame(id: 1))
                try Posix.shutdownWriting(peer.raw)
                try rig.waitForEnd(peer)
                try rig.wait("the end") { rig.server.connectionCount == 0 }
                // One that says hello and then nothing, for ever, costs a connection and no more.
                let mute = try rig.connect()
                mute.send(try .hello(edge))
                try rig.wait("hello") { rig.seen.connects >= 1 && rig.server.connectionCount == 1 }
                try rig.serveGoodClient("a mute one")
            }
            try check(edge)
        }

        @Test func violationsCostNoMemory() throws {
            let rig = try Rig<StreamEdge>()
            func offend(_ times: Int) throws {
                for round in 0..<times {
                    let peer = try rig.connect()
                    peer.send(try .hello(StreamEdge.self))
                    var bad = try StreamEdge.probeFrame(id: 1)
                    if round % 3 == 0 { bad.gift = try Gift.wrong(2) }
                    if round % 3 == 1 { bad.length = .max }
                    if round % 3 == 2 { bad.body.append(0) }
                    peer.send(bad)
                    try rig.waitForEnd(peer)
                }
                try rig.wait("quiet") { rig.server.connectionCount == 0 }
                rig.seen.disconnects = []
            }
            try offend(300)
            let (memory, open) = (try residentPages(), try openDescriptors())
            try offend(3_000)
            #expect(try openDescriptors() == open)
            // A leak of one connection's buffer each would be 48 MiB.
            #expect(try residentPages() - memory < 1_024, "pages of 4 KiB")
            try rig.serveGoodClient()
        }

        private func residentPages() throws -> Int {
            let text = String(decoding: try Posix.readFile("/proc/self/statm", limit: 4_096), as: UTF8.self)
            guard let pages = Int(text.split(separator: " ")[1]) else { throw TestTrouble(text: "statm") }
            return pages
        }

        @Test func connectionsAreLimited() throws {
            let rig = try Rig<RelayEdge>(connectionLimit: 2)
            let first = try rig.connect()
            let second = try rig.connect()
            for peer in [first, second] { peer.send(try .hello(RelayEdge.self)) }
            try rig.wait("two") { rig.seen.connects == 2 }
            let third = try rig.connect()
            try rig.waitForEnd(third)
            #expect(third.goodbye == .limitReached)
            #expect(rig.server.connectionCount == 2)
            first.send(RawFrame(999, .request, id: 1))
            try rig.waitForEnd(first)
            try rig.serveGoodClient("room again")
        }

        @Test func closingSaysWhy() throws {
            let rig = try Rig<RelayEdge>()
            let peer = try rig.connect()
            peer.send(try .hello(RelayEdge.self))
            try rig.wait("hello") { rig.seen.connects == 1 }
            rig.server.close()
            try rig.waitForEnd(peer)
            #expect(peer.goodbye == .shuttingDown)
            #expect(rig.server.connectionCount == 0)
        }

        /// The runner's phases: what is permitted after Resume is not before.
        @Test func phases() throws {
            let acknowledge = RawFrame(
                RunnerEdge.Acknowledge.rule.type, .request, id: 2,
                body: try RunnerEdge.Acknowledge(durable: 1).encoded())
            let rig = try Rig<RunnerEdge>()
            let hasty = try rig.connect()
            hasty.send(try .hello(RunnerEdge.self))
            hasty.send(acknowledge)
            try rig.waitForEnd(hasty)
            #expect(hasty.goodbye == .unpermitted)

            let patient = try rig.connect()
            patient.send(try .hello(RunnerEdge.self))
            patient.send(try RunnerEdge.probeFrame(id: 1))
            try rig.wait("Resume's answer") {
                try patient.read()
                return patient.answers(.reply).count == 1
            }
            patient.send(acknowledge)
            try rig.wait("Acknowledge's answer") {
                try patient.read()
                return patient.answers(.reply).count == 2
            }
            // And Resume is over.
            patient.send(try RunnerEdge.probeFrame(id: 3))
            try rig.waitForEnd(patient)
            #expect(patient.goodbye == .unpermitted)
        }
    }
}
