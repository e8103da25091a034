// Telling the service manager how we are (sd_notify), by one datagram and without its library.
package import Posix

/// Messages to systemd, or to `bulkhead up`. Without NOTIFY_SOCKET they go nowhere.
package enum Notify {
    /// The daemon answers its sockets from now on.
    package static func ready() throws(PosixError) { try send("READY=1") }

    /// The daemon is on its way out.
    package static func stopping() throws(PosixError) { try send("STOPPING=1") }

    /// One line for `systemctl status`.
    package static func status(_ text: String) throws(PosixError) {
        try send("STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }

    private static func send(_ text: String) throws(PosixError) {
        guard let path = Posix.environment("NOTIFY_SOCKET") else { return }
        try Posix.sendDatagram(text, toUnix: path)
    }
}
