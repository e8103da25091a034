// grpc-bench: a unary call of the same few bytes over gRPC on a Unix socket, client and server in one process as gRPC's
// own benchmarks have it. Prints nanoseconds of each call, a line each. Usage: grpc-bench PATH COUNT

import GRPCCore
import GRPCNIOTransportHTTP2

let method = MethodDescriptor(fullyQualifiedService: "bench.Relay", method: "SettleJob")

/// Bytes as they are: the codec is not what is compared here.
struct Raw: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

struct Relay: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(forMethod: method, deserializer: Raw(), serializer: Raw()) { _, _ in
            StreamingServerResponse(single: ServerResponse(message: []))
        }
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let count = Int(arguments[2]) else { fatalError("usage: grpc-bench PATH COUNT") }
let server = GRPCServer(
    transport: .http2NIOPosix(address: .unixDomainSocket(path: arguments[1]), transportSecurity: .plaintext),
    services: [Relay()])
try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await server.serve() }
    _ = try await server.listeningAddress
    try await withGRPCClient(
        transport: .http2NIOPosix(target: .unixDomainSocket(path: arguments[1]), transportSecurity: .plaintext)
    ) { client in
        let clock = ContinuousClock()
        var took: [Duration] = []
        for _ in 0..<count {
            let begin = clock.now
            try await client.unary(
                request: ClientRequest(message: [UInt8](repeating: 7, count: 20)), descriptor: method,
                serializer: Raw(), deserializer: Raw(), options: .defaults
            ) { response in _ = try response.message }
            took.append(clock.now - begin)
        }
        for time in took {
            print(time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000)
        }
    }
    server.beginGracefulShutdown()
}
