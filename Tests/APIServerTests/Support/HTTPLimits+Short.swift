// Deadlines that a test can wait for.

import APIServer

extension HTTPLimits {
    static var short: HTTPLimits {
        var limits = HTTPLimits()
        limits.headerDeadline = .milliseconds(200)
        limits.bodyDeadline = .milliseconds(300)
        limits.lingerDeadline = .milliseconds(500)
        limits.stopDeadline = .milliseconds(500)
        return limits
    }
}
