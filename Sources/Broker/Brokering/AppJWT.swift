// AppJWT: who a GitHub App says that it is, signed with its key: a JSON Web Token with RS256 (RFC 7519), which
// GitHub takes for one when it is asked for a token of a repository. The key stays here.

import Crypto
import CryptoExtras
import FoundationEssentials
import Link
import Secret
import TrustModel
import Wire

enum AppJWT {
    /// Seconds: our clock may be ahead of GitHub's by a minute, and ten minutes are the most that it believes.
    private static let (before, after): (Int64, Int64) = (60, 9 * 60)

    /// - Parameters:
    ///   - app: its client ID, in letters that need no escape.
    ///   - key: RSA of 2048 bits and more, in PEM.
    ///   - now: seconds since 1970.
    static func signed(by app: String, _ key: borrowing Secret, at now: Int64) throws(Failure) -> Secret {
        guard app.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
            throw Failure(.invalid, "the app's client ID cannot be one", place: "app")
        }
        let claims = #"{"iat":\#(now - before),"exp":\#(now + after),"iss":"\#(app)"}"#
        let said = base64(Array(#"{"alg":"RS256","typ":"JWT"}"#.utf8)) + "." + base64(Array(claims.utf8))
        let token = Array((said + "." + base64(try signature(over: Array(said.utf8), key))).utf8)
        return try Failure.secret { () throws(SecretError) in
            try unsafe Secret(capacity: token.count) { (room) throws(SecretError) in
                unsafe room.copyBytes(from: token)
                return token.count
            }
        }
    }

    private static func signature(over said: [UInt8], _ key: borrowing Secret) throws(Failure) -> [UInt8] {
        let mend = "give the key that GitHub has made for the app, as it is: --from-file FILE.pem"
        // In ordinary memory as long as it is used, and overwritten when that is freed.
        let text = unsafe key.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
        let rsa: _RSA.Signing.PrivateKey
        do { rsa = try _RSA.Signing.PrivateKey(pemRepresentation: text) } catch {
            throw Failure(
                .invalid, "no RSA key in PEM of 2048 bits or more; \(mend)", place: ForgeSecret.appKey.rawValue)
        }
        do {
            return Array(try rsa.signature(for: said, padding: .insecurePKCS1v1_5).rawRepresentation)
        } catch {
            throw Failure(.internal, "the app's key does not sign", place: ForgeSecret.appKey.rawValue)
        }
    }

    /// Of RFC 4648, for addresses, without padding.
    private static func base64(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}
