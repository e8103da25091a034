// bulkhead-courierd: the only process that speaks to the outside: it asks forges and tells them. It faces every byte
// that a forge says, and has one project's token at a time, for as long as an errand takes.

import Couriering
import Daemon
import Link
import Outbound
import Posix
import Sandbox
import Wire

Startup.main("bulkhead-courierd", about: "asks forges and tells them", keys: CourierSettings.keys) { daemon in
    // 1. configuration: read by Startup; all mistakes at once, exit 64
    let configuration = daemon.configuration
    let settings = try CourierSettings(configuration)
    // 2. sockets and files
    let listener = try daemon.listener("courier")
    let authorities = try Authorities.read(
        system: configuration.path("system-ca"), more: configuration.optionalString("forge-ca"))
    if authorities.isEmpty { daemon.log.warning("no certificates: no forge is believed") }
    // What libcurl and the C library read at their start.
    try Outbound.prepare()
    // 3. users and capabilities  4. every other descriptor  5. no new privileges, limits, paths, system calls
    try daemon.confine(
        keeping: [listener.raw], profile: .courierd, reads: Outbound.resolverFiles, writes: [settings.state],
        connects: true)
    // 6. the peers
    let loop = try PollLoop()
    let courier = try Courier(
        loop: loop, settings: settings, authorities: authorities, forgeSocket: configuration.path("forge-socket"),
        log: daemon.log)
    let scheduler = try LinkServer(
        loop: loop, listener: listener, peerUID: configuration.uid("schedulerd-uid"), handlers: courier.handlers,
        // Each job of GitLab's holds a stream for as long as it lives.
        settings: LinkSettings(window: 1_024))
    courier.start()
    // 7. the loop: until SIGTERM or SIGINT
    try daemon.run(loop) {
        scheduler.close()
        courier.stop()
    }
}
