// A table that lacks a handler, or has one twice, is found when the server is made, by name.

import Endpoints
import Link
import Posix
import Testing
import Wire

extension LinkTests {
    @Suite struct HandlerTables {
        @Test func missingHandlersAreNamed() throws {
            var handlers = Handlers<SpawnerEdge>()
            handlers.refuse(SpawnerEdge.CreateRunner.self)
            handlers.refuse(SpawnerEdge.AttachRunner.self)
            handlers.refuse(SpawnerEdge.RemoveRunner.self)
            handlers.refuse(SpawnerEdge.DescribeHost.self)
            handlers.refuse(SpawnerEdge.ReadDevices.self)
            #expect(
                handlers.problems(serving: .server) == ["no handler for ListRunners", "no handler for WatchExits"])
            let failure = try failureOfServer(handlers)
            #expect(failure.errorCode == .internal)
            #expect(failure.text.contains("ListRunners"))
            #expect(failure.text.contains("WatchExits"))
            #expect(!failure.text.contains("CreateRunner"))
        }

        @Test func completeTablesAreTaken() throws {
            for edge in allProbes { #expect(try problems(edge) == []) }
            let scratch = try Scratch()
            let loop = try PollLoop()
            _ = try LinkServer(
                loop: loop, listener: try Posix.listenUnix("\(scratch.path)/s", mode: 0o600), peerUID: 0,
                handlers: SpawnerEdge.handlers(Seen()))
        }

        @Test func doubleHandlersAreNamed() throws {
            var handlers = StreamEdge.handlers(Seen())
            handlers.refuse(StreamEdge.TakeStream.self)
            #expect(handlers.problems(serving: .server) == ["two handlers for TakeStream"])
        }

        private func problems<Edge: ProbeEdge>(_ edge: Edge.Type) throws -> [String] {
            edge.handlers(Seen()).problems(serving: .server)
        }

        private func failureOfServer(_ handlers: Handlers<SpawnerEdge>) throws -> Failure {
            let transport = SocketTransport(try Posix.socketPair().keepFirst())
            let loop = try PollLoop()
            do throws(Failure) {
                _ = try Connection(loop: loop, transport: transport, server: handlers)
            } catch {
                return error
            }
            throw TestTrouble(text: "a server without handlers")
        }
    }
}
