// broker-fixture: brokerd's parts in brokerd's order, without confinement, and with named points at which it dies.
// BrokeringTests start it as a child with the listeners that brokerd gets, and read "ready" from its standard output.

import Brokering
import Daemon
import Glibc
import Link
import Posix
import Vault
import Wire

let day = 24 * 3600
Startup.main(
    "broker-fixture", about: "brokerd for the tests, which dies where it is told to",
    keys: [
        .required("state", .path, "As brokerd's"),
        .required("grants", .path, "As brokerd's"),
        .required("master-keys", .path, "As brokerd's"),
        .optional("bootstrap", .path, "As brokerd's"),
        .defaulted(
            "die-at", .choice(Point.allCases.map(\.rawValue) + ["never"]), "never", "Dies by SIGKILL at this point"),
        .defaulted("die-after", .int(0...100), "0", "So many times it passes the point alive"),
        .defaulted("wipe", .bool, "true", "Whether it wipes the grants of an earlier run at its start"),
        .defaulted(
            "clock", .int(-365 * day...365 * day, unit: "seconds"), "0", "What its clock is ahead of the host's"),
    ]
) { daemon in
    let settings = daemon.configuration
    let deadly = Point(rawValue: settings.string("die-at"))
    var left = settings.int("die-after")
    let points: Points = { point in
        guard point == deadly else { return }
        if left == 0 { raise(SIGKILL) }
        left -= 1
    }
    let ahead = Int64(settings.int("clock")) * 1000
    let now = { Posix.wallMilliseconds() + ahead }
    // A limit on the size of files is one way in which an audit log cannot be written: an error then, and not a signal.
    signal(SIGXFSZ, SIG_IGN)
    let place = VaultPlace(
        state: settings.path("state"), masterKeys: settings.path("master-keys"),
        bootstrap: settings.optionalString("bootstrap"))
    let schedulerd = try daemon.listener("broker")
    let relayd = try daemon.listener("mask")
    let courierd = try daemon.listener("forge")
    let vault = try Vault(place, now: now(), points: points)
    let broker = Broker(vault, grants: settings.path("grants"), log: daemon.log, now: now, points: points)
    if settings.bool("wipe") { try broker.start() }
    let loop = try PollLoop()
    let user = Posix.userID
    let orders = try LinkServer(loop: loop, listener: schedulerd, peerUID: user, handlers: broker.brokerHandlers)
    let masks = try LinkServer(loop: loop, listener: relayd, peerUID: user, handlers: broker.maskHandlers)
    let forges = try LinkServer(loop: loop, listener: courierd, peerUID: user, handlers: broker.forgeHandlers)
    try Posix.writeAll(1, Array("ready\n".utf8))
    try daemon.run(loop) {
        orders.close()
        masks.close()
        forges.close()
    }
}
