// Tickets: brokerd's own word on a job, which schedulerd keeps in its database and cannot change. Trust is this MAC.

package import Crypto
import FoundationEssentials
import Link
package import Wire

/// Makes and checks tickets with one key.
package struct Tickets {
    /// Milliseconds that a ticket lives.
    package static let lifetimeMs: Int64 = 7 * 24 * 3600 * 1000
    /// Milliseconds by which clocks and orders may differ from ours.
    package static let skewMs: Int64 = 10 * 60 * 1000

    /// Grants for one ticket: a job has six attempts at most, and an attempt that is disturbed before it begins gets
    /// another runner. Whoever holds the tickets of others cannot run their jobs for ever.
    package static let grantsAtMost = 32

    private let key: SymmetricKey
    private let generation: UInt32

    package init(key: SymmetricKey, generation: UInt32) {
        self.key = key
        self.generation = generation
    }

    /// The same ticket with its MAC.
    package func signed(_ ticket: Ticket) throws(Failure) -> Ticket {
        var ticket = ticket
        let code = HMAC<SHA256>.authenticationCode(for: try Self.said(ticket), using: key)
        guard let mac = Bytes32(bytes: Array(code)) else { throw Failure(.internal, "no MAC") }
        ticket.mac = mac
        return ticket
    }

    /// Throws `ticket_refused` unless this broker made exactly this ticket, under the present master key, in the last 7
    /// days.
    package func check(_ ticket: Ticket, at now: Int64) throws(Failure) {
        // Compared in constant time: how much of a guess was right is told by nothing.
        let isGenuine = HMAC<SHA256>.isValidAuthenticationCode(
            ticket.mac.array, authenticating: try Self.said(ticket), using: key)
        guard isGenuine else { throw Failure(.ticketRefused, "its MAC is not ours", place: "ticket") }
        guard ticket.generation == generation else {
            throw Failure(.ticketRefused, "made before the master key was rotated", place: "ticket")
        }
        guard now - ticket.issuedMs <= Self.lifetimeMs, ticket.issuedMs - now <= Self.skewMs else {
            throw Failure(.ticketRefused, "a ticket is good for 7 days", place: "ticket")
        }
        // Whoever mints: no way of code leads from an untrusted job to a secret.
        if ticket.trust == .untrusted && !ticket.secrets.isEmpty {
            throw Failure(.ticketRefused, "an untrusted job has no secrets", place: "ticket")
        }
    }

    /// What the MAC is over: the canonical bytes with zeros in its own place.
    private static func said(_ ticket: Ticket) throws(Failure) -> [UInt8] {
        var ticket = ticket
        ticket.mac = Bytes32(0, 0, 0, 0)
        do { return try ticket.encoded() } catch { throw Failure(encoding: error, place: "ticket") }
    }
}
