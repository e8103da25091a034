// Who is there has to be proved: by a certificate for this name, from an authority that is believed.

import Endpoints
import Exchange
import Foundation
import Outbound
import Posix
import Testing

@Suite struct TLSTests {
    /// `openssl s_server` with a certificate of its own making for `name`.
    final class Server {
        let port: UInt16
        let certificate: [UInt8]
        private let child = Process()
        private let folder: URL

        init(name: String) throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let (key, certificate) = (folder.path + "/key", folder.path + "/certificate")
            try Self.run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=test", "-addext", "subjectAltName=\(name)", "-keyout", key, "-out", certificate,
            ]).waitUntilExit()
            self.certificate = Array(try Data(contentsOf: URL(fileURLWithPath: certificate)))
            // Free a moment ago; the server takes no port of the kernel's choice.
            let free = try Posix.listenTCP("127.0.0.1", port: 0)
            port = try Posix.boundPort(free.raw)
            free.close()
            child.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            child.arguments = [
                "s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www", "-quiet",
            ]
            (child.standardInput, child.standardOutput, child.standardError) =
                (FileHandle.nullDevice, FileHandle.nullDevice, FileHandle.nullDevice)
            try child.run()
            while child.isRunning, (try? Posix.connectTCP("127.0.0.1", port: port)) == nil {
                Thread.sleep(forTimeInterval: 0.01)
            }
        }

        deinit {
            if child.isRunning { child.terminate() }
            try? FileManager.default.removeItem(at: folder)
        }

        private static func run(_ arguments: [String]) throws -> Process {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            return process
        }
    }

    static func ask(_ server: Server, host: String = "localhost", believing: [UInt8]?) throws -> Asking.Outcome {
        let origin = try #require(Origin(.https, host: host, port: server.port))
        return try Asking([origin], authorities: believing).ask(Asking.get(origin))
    }

    @Test func aCertificateThatIsBelievedOpensTheDoor() throws {
        let server = try Server(name: "DNS:localhost")
        #expect(try Self.ask(server, believing: server.certificate).get().status == 200)
    }

    @Test func anUnknownAuthorityDoesNot() throws {
        let (server, other) = (try Server(name: "DNS:localhost"), try Server(name: "DNS:localhost"))
        for believing in [nil, other.certificate] {
            let outcome = try Self.ask(server, believing: believing)
            #expect(outcome.reason == .certificate)
            #expect(outcome.wasSent == false)
        }
    }

    @Test func anotherNameDoesNot() throws {
        let server = try Server(name: "DNS:other.example")
        #expect(try Self.ask(server, believing: server.certificate).reason == .certificate)
        let byAddress = try Server(name: "IP:127.0.0.1")
        #expect(try Self.ask(byAddress, believing: byAddress.certificate).reason == .certificate)
        #expect(try Self.ask(byAddress, host: "127.0.0.1", believing: byAddress.certificate).get().status == 200)
    }

    @Test func whoSpeaksNoTLSIsNotAsked() throws {
        let server = try LoopbackServer(http(200))
        let origin = try #require(Origin(.https, host: "127.0.0.1", port: server.port))
        let limits = TransferLimits(body: 1 << 20, total: .seconds(1))
        let outcome = try Asking([origin]).ask(Asking.get(origin), limits: limits)
        #expect(outcome.reason == .timeout)
        #expect(outcome.wasSent == false)
        #expect(!server.requests.contains { $0.contains(Asking.token) })
    }
}
