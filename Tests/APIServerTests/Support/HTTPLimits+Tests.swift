// Deadlines that a test can wait for.

import APIServer

extension HTTPLimits {
    /// Patient with requests, however busy the machine is; quick to end what has ended.
    static var quick: HTTPLimits {
        var limits = HTTPLimits()
        limits.lingerDeadline = .milliseconds(500)
        limits.stopDeadline = .milliseconds(500)
        return limits
    }

    /// For tests of the deadlines themselves.
    static var impatient: HTTPLimits {
        var limits = quick
        limits.headerDeadline = .milliseconds(400)
        limits.bodyDeadline = .milliseconds(400)
        limits.stallDeadline = .milliseconds(400)
        return limits
    }
}
