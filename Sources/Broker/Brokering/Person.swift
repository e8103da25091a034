// Person: somebody with an API token, as brokerd sees them at this moment.

import Link
import Orders
import TrustWire
import Vault
import Wire

/// Kept for one request, never longer: what one may do can change between two.
struct Person {
    let user: StoredUser
    let token: TokenInfo
    let rights: Rights

    init(user: StoredUser, token: TokenInfo) {
        self.user = user
        self.token = token
        rights = Rights(user.info, within: token)
    }

    var name: String { user.info.name }

    func check(_ action: Action, in project: String = "") throws(Failure) {
        if let refusal = rights.refusal(of: action, in: project) { throw refusal }
    }
}
