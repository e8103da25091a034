// What courierd is told at its start, and what it bounds.

package import Daemon
package import Outbound

package struct CourierSettings: Sendable {
    /// Errands under way at once; who comes then is asked to come again.
    package var errands = 32
    /// Of these, archives: each has a file that may grow to its limit.
    package var archives = 4
    /// Bytes of a source archive, unpacked.
    package var sourceBytes: UInt64 = 1 << 30
    /// Bytes of a job file.
    package var fileBytes = 64 << 10
    /// For one errand with all its questions, and for one that fetches an archive.
    package var errandTime: Duration = .seconds(120)
    package var archiveTime: Duration = .seconds(900)
    /// Where archives lie while they come, without a name.
    package var state = ""
    /// Networks beside the public internet in which a forge may be.
    package var addresses = AddressPolicy()

    package init() {}

    package static let keys: [Key] = [
        .required("state", .path, "Directory for archives while they come; nothing stays in it"),
        .required("schedulerd-uid", .uid, "The only user that may use the courier edge"),
        .required(
            "forge-socket", .path, "Socket of the forge edge, where brokerd says where a forge is, and the token"),
        .optional(
            "forge-addresses", .list,
            "Networks that are no part of the public internet and have a forge in them: 10.0.0.0/8,fd00::/8"),
        .optional("forge-ca", .path, "Certificates (PEM) of authorities that are believed beside the system's"),
        .defaulted(
            "system-ca", .path, "/etc/ssl/certs/ca-certificates.crt", "Certificates (PEM) of the system's authorities"),
        .defaulted(
            "source-limit", .int(1...(1 << 50), unit: "bytes"), "1073741824", "Largest source archive, unpacked"),
        .defaulted("errand-limit", .int(1...1024), "32", "Errands that are under way at once"),
        .defaulted("archive-limit", .int(1...64), "4", "Of these, source archives"),
    ]

    package init(_ settings: Configuration) throws(ConfigurationError) {
        state = settings.path("state")
        sourceBytes = UInt64(settings.int("source-limit"))
        errands = settings.int("errand-limit")
        archives = settings.int("archive-limit")
        let texts = settings.list("forge-addresses")
        let wrong = texts.filter { AddressRange($0) == nil }
        guard wrong.isEmpty else {
            throw ConfigurationError(
                problems: wrong.map { "--forge-addresses: must be networks like 10.0.0.0/8, but it is `\($0)`" })
        }
        addresses = AddressPolicy(named: texts.compactMap { AddressRange($0) })
    }
}
