// Uploads that pass through schedulerd: relayd's number for each is replaced by one that cannot be guessed, so that
// only who opened an upload can finish it.

/// Open uploads. Lives on the loop's thread.
struct Uploads {
    /// relayd gives up uploads that stand still; this only bounds what we remember of them.
    private static let limit = 256

    private var numbers: [UInt64: UInt64] = [:]
    private var order: [UInt64] = []

    /// The number by which the opener knows relayd's upload.
    mutating func open(_ relays: UInt64) -> UInt64 {
        let number = UInt64.random(in: 1 ... .max)
        numbers[number] = relays
        order.append(number)
        if order.count > Self.limit { numbers[order.removeFirst()] = nil }
        return number
    }

    /// relayd's number; each upload is finished once.
    mutating func take(_ number: UInt64) -> UInt64? {
        order.removeAll { $0 == number }
        return numbers.removeValue(forKey: number)
    }

    /// relayd is gone, and its uploads with it.
    mutating func removeAll() {
        numbers = [:]
        order = []
    }
}
