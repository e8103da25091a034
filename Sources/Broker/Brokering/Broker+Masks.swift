// What relayd must not let through: the values of a grant and the token of its job, as a file. relayd gets a descriptor
// of a file that has no name any more, for reading: no value is in a frame, and none in a buffer of Link's.

import Daemon
import Link
import Posix
import Secret
import Vault
import Wire

extension Broker {
    func watchMasks(_ attempt: Attempt, _ sink: ItemSink<MaskEdge.WatchMasks.Item>) {
        guard let grant = live[attempt] else {
            return sink.fail(Failure(.notFound, "no grant of this attempt lives", place: "attempt"))
        }
        guard send(grant, to: sink) else { return }
        let id = ObjectIdentifier(sink)
        watchers[attempt, default: [:]][id] = sink
        sink.onClose = { [weak self] in self?.watchers[attempt]?[id] = nil }
    }

    /// Granted again: what is to be masked may have changed.
    func sendMasks(of grant: LiveGrant) {
        for sink in watchers[grant.attempt]?.values.map({ $0 }) ?? [] { _ = send(grant, to: sink) }
    }

    func endMasks(of attempt: Attempt) {
        for sink in watchers.removeValue(forKey: attempt)?.values.map({ $0 }) ?? [] { sink.end() }
    }

    /// False: the stream has failed.
    private func send(_ grant: LiveGrant, to sink: ItemSink<MaskEdge.WatchMasks.Item>) -> Bool {
        guard let masked = grant.masked else {
            sink.fail(
                Failure(
                    .conflict, "a secret was changed after it was granted, and the broker restarted", place: "secrets"))
            return false
        }
        do throws(VaultError) {
            sink.send(.init(), fd: try files.anonymous(try masks(of: grant.attempt, masked)))
            return true
        } catch {
            log.error("masks cannot be handed out", ["job": "\(grant.attempt.job)", "error": "\(error)"])
            sink.fail(Failure(error))
            return false
        }
    }

    /// The MaskSet, encoded.
    private func masks(of attempt: Attempt, _ secrets: [StoredSecret]) throws(VaultError) -> Secret {
        let capacity = secrets.reduce(512) { $0 + $1.sealed.count }
        let token = try VaultError.secret { () throws(SecretError) in try jobTokens.token(of: attempt) }
        var set = try VaultError.secret { () throws(SecretError) in try Secret(capacity: capacity) }
        do throws(SecretError) {
            try set.append(UInt16(secrets.count + 1))
            try set.append(token)
        } catch { throw .secret(error) }
        for secret in secrets {
            let value = try vault.store.value(of: secret)
            do throws(SecretError) { try set.append(value) } catch { throw .secret(error) }
        }
        return set
    }
}
