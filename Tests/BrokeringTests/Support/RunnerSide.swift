// The runner's end of a grant, done with swift-crypto and the generated types: independent of what the broker does by
// hand.

import Crypto
import Files
import Foundation
import Link
import LinkBlocking
import Posix
import Wire

/// A runner that has been prepared, and has taken its key as it does at its start.
struct RunnerSide {
    let id: Bytes16
    let grant: Bytes16
    let key: SymmetricKey
    let directory: String

    init(_ client: BlockingClient<BrokerEdge>, _ house: BrokerHouse) throws {
        id = .random()
        grant = try client.prepare(id)
        directory = "\(house.directory.path)/grants/\(grant.hex)"
        key = SymmetricKey(data: try Posix.readFile("\(directory)/key", limit: 32))
    }

    var sealed: [UInt8] {
        get throws { try Posix.readFile("\(directory)/grant", limit: 1 << 20) }
    }

    /// What lies in the grant.
    func open() throws -> GrantBody { try open(try sealed, as: id) }

    func open(_ bytes: [UInt8], as runner: Bytes16) throws -> GrantBody {
        let box = try ChaChaPoly.SealedBox(combined: bytes)
        let context = Array("bulkhead grant 1".utf8) + runner.array
        return try GrantBody.decoded(Array(try ChaChaPoly.open(box, using: key, authenticating: context)))
    }

    var files: [String] {
        get throws { try Posix.directoryEntries(directory) }
    }
}
