// ForgeValue: what a shell adds to a token or to a webhook's key unasked. Nothing would say so until no webhook is
// believed, or the forge does not take the token.

import TrustModel

package enum ForgeValue {
    /// nil: there is nothing wrong with the value, or the secret is not for the forge.
    package static func mistake(in value: [UInt8], name: String, project: String) -> String? {
        if name == ForgeSecret.appKey.rawValue { return mistake(inKey: value, project: project) }
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

    /// GitHub gives a file, and whoever copies a part of it has no key.
    private static func mistake(inKey value: [UInt8], project: String) -> String? {
        let lines = String(decoding: value, as: UTF8.self).split(whereSeparator: \.isNewline)
        let names = ["-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"]
        if let first = lines.first, let last = lines.last, names.contains(String(first)),
            last == first.replacing("BEGIN", with: "END"), lines.count > 2
        {
            return nil
        }
        let name = ForgeSecret.appKey.rawValue
        return "the value of \(name) is no RSA key in PEM, or an encrypted one; give the file that GitHub made for the "
            + "app as it is: bulkhead secret set \(project) \(name) --from-file FILE.pem"
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
