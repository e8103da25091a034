// RunnerTokens: who has the tokens. courierd asks brokerd for each request, and wipes what it got when it is sent.

package import Exchange
package import GitLabRunner
import Posix
package import Secret

package protocol RunnerTokens: AnyObject {
    /// Calls `use` with the token, now or later; with nil if there is none to be had.
    func fetch(_ token: RunnerToken, _ use: @escaping (consuming Secret?) -> Void)
}

extension SecretText {
    /// The same where it can be sent from.
    package func secret() throws(SecretError) -> Secret {
        var secret = try Secret(capacity: max(bytes.count, 1))
        try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(SecretError) in
            try unsafe secret.append(UnsafeRawBufferPointer(bytes))
        }
        return secret
    }
}
