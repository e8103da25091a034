// What brokerd keeps on disk, opened in the only order that is safe: keys, audit log, store, and then whether they
// belong together.

import Files
import Orders
import Posix

/// Where brokerd keeps things: paths of directories, and of the bootstrap file.
package struct VaultPlace: Sendable {
    package var state: String
    package var masterKeys: String
    package var bootstrap: String?

    package init(state: String, masterKeys: String, bootstrap: String?) {
        self.state = state
        self.masterKeys = masterKeys
        self.bootstrap = bootstrap
    }
}

/// The store, the audit log, and what the log remembers. Lives on the broker's thread.
package final class Vault {
    package let place: VaultPlace
    package let store: SealedStore
    package let audit: AuditLog
    package var memory: AuditMemory

    /// `now`: milliseconds since 1970. A first start needs a bootstrap file and finds no audit log.
    package init(_ place: VaultPlace, now: Int64, points: @escaping Points = { _ in }) throws(VaultError) {
        self.place = place
        let keys = try MasterKeys.read(place.masterKeys)
        let old = try SealedStore(opening: place.state, keys, points: points)
        let known = old?.content.auditHead ?? .none
        var isKnown = known == .none
        var memory = AuditMemory()
        audit = try AuditLog(place.state, points: points) { (record) throws(VaultError) in
            try memory.recover(record, generation: old?.content.generation ?? 0)
            if record.head == known { isKnown = true }
        }
        // A log can be cut at the end of a line without a trace in it, or removed. Not behind what the store remembers.
        guard isKnown else {
            throw .damaged("the audit log lacks record \(known.sequence), which the store knows: it was cut")
        }
        // Whoever can delete the store must not become the first operator of a house that has a history.
        if old == nil && audit.head != .none { throw .damaged("the store is gone, and its audit log is there") }
        if let old { store = old } else { store = try Self.first(place, keys, points) }
        memory.forget(before: now)
        self.memory = memory
        try audit.append(.started, [("generation", "\(store.content.generation)")], at: now)
    }

    private static func first(
        _ place: VaultPlace, _ keys: [BrokerKeys], _ points: @escaping Points
    ) throws(VaultError) -> SealedStore {
        guard keys.count == 1 else {
            throw .unusable("a new store is made with one master key, and there are \(keys.count)")
        }
        let content = try content(place.bootstrap)
        return try SealedStore(making: place.state, content, keys[0], points: points)
    }

    private static func content(_ path: String?) throws(VaultError) -> StoreContent {
        guard let path else { throw .unusable("there is no store yet, and no bootstrap file was named") }
        let text = try VaultError.posix { () throws(PosixError) in try Posix.readFile(path, limit: 4096) }
        do {
            return StoreContent(first: try Bootstrap(parsing: String(decoding: text, as: UTF8.self)))
        } catch {
            throw .unusable("\(path): \(error)")
        }
    }
}
