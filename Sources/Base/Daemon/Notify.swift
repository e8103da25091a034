// Telling the service manager how we are (sd_notify), by one datagram and without its library.
package import Posix

/// Messages to systemd, or to `bulkhead up`. Without NOTIFY_SOCKET they go nowhere.
package enum Notify {
    /// The daemon answers its sockets from now on.
    package static func ready() throws(PosixError) {
        guard let path = Posix.environment("NOTIFY_SOCKET") else { return }
        try Posix.sendDatagram("READY=1", toUnix: path)
    }
}
