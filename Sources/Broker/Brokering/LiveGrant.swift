// A grant that an attempt holds: what its token and its masks come from.

import Vault
import Wire

/// Lives from Grant to Discard, in memory only: after a restart schedulerd grants again what still runs.
struct LiveGrant {
    let grant: Bytes16
    let attempt: Attempt
    let project: String
    /// As they are when they are granted, sealed.
    let secrets: [StoredSecret]
    /// Those, and what the attempt may have got before: a secret that is set anew meanwhile is masked in its old form,
    /// too. nil: not known any more, since a secret was changed and this process has not seen its old value; nobody is
    /// given masks that would let it pass.
    let masked: [StoredSecret]?
}
