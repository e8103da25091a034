// Sealing an order: in the CLI. What is on the way (apid, schedulerd) can neither read it, change it, nor make one:
// HPKE in mode auth, X25519 both for whom and by whom. The second message of the same context carries the bytes that
// the order brings.

import Crypto
package import FoundationEssentials
package import Wire

/// Seals with an operator's key.
package enum OrderSealer {
    static let suite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
    static let info = Data("bulkhead order 1".utf8)
    /// The most bytes of a secret's value.
    package static let valueLimit = 8192
    /// The most bytes of an encoded order.
    package static let orderLimit = 6144 - 16

    /// `value`: what a SetSecret (the secret) or a Rotate (the new master key) brings; empty for the others.
    package static func seal(
        _ order: Order, value: some DataProtocol = [UInt8](), with file: KeyFile
    ) throws(OrderError) -> SealedOrder {
        if value.count > valueLimit { throw .tooLarge(limit: valueLimit) }
        let recipient = try Curve25519.KeyAgreement.PublicKey(file.broker)
        do {
            let plain = try order.encoded()
            if plain.count > orderLimit { throw OrderError.tooLarge(limit: orderLimit) }
            var sender = try HPKE.Sender(
                recipientKey: recipient, ciphersuite: suite, info: info, authenticatedBy: file.key)
            let sealed = Array(try sender.seal(plain))
            let sealedValue = value.isEmpty ? [] : Array(try sender.seal(value))
            guard let encapsulated = Bytes32(bytes: Array(sender.encapsulatedKey)) else {
                throw OrderError.refused("no key was made for this order")
            }
            return SealedOrder(key: file.publicKey, encapsulated: encapsulated, order: sealed, value: sealedValue)
        } catch let error as OrderError {
            throw error
        } catch let error as WireError {
            throw .refused("the order does not encode: \(error)")
        } catch {
            throw .refused("the broker's key in the key file is of no use")
        }
    }
}
