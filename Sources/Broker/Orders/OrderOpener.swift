// Opening an order: in brokerd alone.

import Crypto
package import FoundationEssentials
package import Wire

/// What came out of a SealedOrder.
package struct OpenedOrder {
    package let order: Order
    /// The bytes that it brought: the caller takes them into a Secret and overwrites them here, at once.
    package var value: Data
}

/// Opens with the broker's key. The caller has looked up who holds `sealed.key` before, and has yet to check the time.
package enum OrderOpener {
    package static func open(_ sealed: SealedOrder, with keys: BrokerKeys) throws(OrderError) -> OpenedOrder {
        let sender = try Curve25519.KeyAgreement.PublicKey(sealed.key)
        do {
            var recipient = try HPKE.Recipient(
                privateKey: keys.exchange, ciphersuite: OrderSealer.suite, info: OrderSealer.info,
                encapsulatedKey: Data(sealed.encapsulated.array), authenticatedBy: sender)
            let plain = try recipient.open(sealed.order)
            let order = try Order.decoded(Array(plain))
            let value = sealed.value.isEmpty ? Data() : try recipient.open(sealed.value)
            return OpenedOrder(order: order, value: value)
        } catch let error as WireError {
            throw .refused("no order of this version: \(error)")
        } catch {
            throw .refused("not sealed by this key for this broker")
        }
    }
}
