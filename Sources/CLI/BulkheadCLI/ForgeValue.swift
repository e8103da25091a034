// ForgeValue: what a shell adds to a token or to a webhook's key unasked. Nothing would say so until no webhook is
// believed, or the forge does not take the token.

import TrustModel

package enum ForgeValue {
    /// nil: there is nothing wrong with the value, or the secret is not for the forge.
    package static func mistake(in value: [UInt8], name: String, project: String) -> String? {
        guard let secret = ForgeSecret(rawValue: name),
            let wrong = value.indices.first(where: {
                !isGood(value[$0], secret, isAtEdge: [0, value.count - 1].contains($0))
            })
        else { return nil }
        let what =
            switch value[wrong] {
            case 0x0A, 0x0D: "a line break"
            case 0x20, 0x09: "a space"
            default: "what is no letter, digit or sign"
            }
        let isEnd = value[wrong...].allSatisfy { $0 <= 0x20 }
        let place = isEnd ? "at its end" : "in byte \(wrong + 1) of \(value.count)"
        let isBreak = [0x0A, 0x0D].contains(value[wrong])
        let mend = isBreak ? ": tr -d '\\r\\n' < FILE | bulkhead secret set \(project) \(name)" : ""
        return "the value of \(name) has \(what) \(place), and so it would not be the forge's; give it without\(mend)"
    }

    /// A key may be several words, in any language; a token goes into a header.
    private static func isGood(_ byte: UInt8, _ secret: ForgeSecret, isAtEdge: Bool) -> Bool {
        switch byte {
        case 0x21...0x7E: true
        case 0x20: secret == .webhookKey && !isAtEdge
        case 0x80...: secret == .webhookKey
        default: false
        }
    }
}
