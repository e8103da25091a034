// What is given as a key or a token of a forge, and cannot be one.

import BulkheadCLI
import Testing

@Suite struct ForgeValueTests {
    private static let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"

    private func mistake(_ value: String, _ name: String) -> String? {
        ForgeValue.mistake(in: Array(value.utf8), name: name, project: "shop")
    }

    @Test func anAppsKeyIsAFile() {
        #expect(mistake(Self.key, "app-key") == nil)
        #expect(mistake(Self.key.replacing("RSA ", with: "").replacing("\n", with: "\r\n"), "app-key") == nil)
        let others = [
            "", "MIIE", "Iv23li", String(Self.key.dropLast(30)), Self.key.replacing("PRIVATE", with: "PUBLIC"),
            Self.key.replacing("END RSA", with: "END"), Self.key.replacing("MIIE\n", with: ""),
        ]
        for other in others {
            #expect(mistake(other, "app-key")?.contains("--from-file FILE.pem") == true)
            #expect(other.isEmpty || mistake(other, "app-key")?.contains(other) == false)
        }
        // The control: it is looked at as what it is called.
        #expect(mistake("MIIE", "other-key") == nil)
        #expect(mistake(Self.key, "forge-token")?.contains("a space in byte") == true)
    }
}
