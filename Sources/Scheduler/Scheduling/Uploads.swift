// Uploads that pass through schedulerd: relayd's number for each is replaced by one that cannot be guessed, so that
// only who opened an upload can finish it.

/// Open uploads. Lives on the loop's thread.
struct Uploads {
    /// relayd gives up uploads that stand still; this only bounds what we remember of them.
    private static let limit = 256

    private struct Open {
        let number: UInt64
        let relays: UInt64
    }

    /// In the order of their opening.
    private var open: [Open] = []

    /// The number by which the opener knows relayd's upload.
    mutating func open(_ relays: UInt64) -> UInt64 {
        let number = UInt64.random(in: 1 ... .max)
        open.append(Open(number: number, relays: relays))
        if open.count > Self.limit { open.removeFirst() }
        return number
    }

    /// relayd's number; each upload is finished once.
    mutating func take(_ number: UInt64) -> UInt64? {
        guard let index = open.firstIndex(where: { $0.number == number }) else { return nil }
        return open.remove(at: index).relays
    }

    /// relayd is gone, and its uploads with it.
    mutating func removeAll() {
        open = []
    }
}
