// A grant that an attempt holds: what its token and its masks come from.

import Vault
import Wire

/// Lives from Grant to Discard, in memory only: after a restart schedulerd grants again what still runs.
struct LiveGrant {
    let grant: Bytes16
    let attempt: Attempt
    let project: String
    /// As they were when they were granted, sealed: a secret that is set anew meanwhile is masked in its old form, too.
    let secrets: [StoredSecret]
}
