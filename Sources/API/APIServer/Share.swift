// Share: of what all strangers have in common. Whoever takes of it never holds more than what is left free for all
// others: one alone has half, and however many there are, the next one finds as much as each of them has.

struct Share: Sendable {
    enum Lack {
        /// This one has its share.
        case own
        /// Too little is left for anybody.
        case all
    }

    private var free: Int
    private var held: [String: Int] = [:]

    init(of whole: Int) { free = whole }

    /// nil: it is taken.
    mutating func take(_ amount: Int, for name: String) -> Lack? {
        let mine = held[name, default: 0]
        guard mine + amount <= free - amount else { return mine > 0 ? .own : .all }
        free -= amount
        held[name] = mine + amount
        return nil
    }

    mutating func giveBack(_ amount: Int, of name: String) {
        free += amount
        let left = held[name, default: 0] - amount
        held[name] = left > 0 ? left : nil
    }
}
