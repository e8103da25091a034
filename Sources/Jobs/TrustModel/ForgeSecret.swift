// ForgeSecret: what a project's secrets hold for the forge itself. brokerd and courierd use them; no job ever has one.

package enum ForgeSecret: String, CaseIterable, Sendable {
    /// With which the forge signs its deliveries; at GitLab the secret token, or the signing token as it is shown.
    case webhookKey = "webhook-key"
    /// With which courierd speaks to the forge.
    case token = "forge-token"
    /// The private key of a GitHub App, in PEM; brokerd alone sees it.
    case appKey = "app-key"
}
