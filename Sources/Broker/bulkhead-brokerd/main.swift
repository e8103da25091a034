// bulkhead-brokerd: holds the master key and every secret; the only one that can vouch. Talks to schedulerd, relayd and
// courierd.

import Brokering
import Daemon
import Link
import Posix
import Sandbox
import Vault
import Wire

Startup.main(
    "bulkhead-brokerd", about: "keeps secrets and grants them to jobs",
    keys: [
        .required("state", .path, "The directory of the sealed store and of the audit log"),
        .required("grants", .path, "The tmpfs of the grants, mode 0700, which only this daemon may enter"),
        .required("master-keys", .path, "The directory of the master keys: one file, or two around a rotation"),
        .optional("bootstrap", .path, "Who may give the first orders; read when there is no store yet"),
        .required("schedulerd-uid", .uid, "The only user that may call the broker edge"),
        .required("relayd-uid", .uid, "The only user that may call the mask edge"),
        .required("courierd-uid", .uid, "The only user that may call the forge edge"),
    ]
) { daemon in
    // 1. configuration
    let settings = daemon.configuration
    let place = VaultPlace(
        state: settings.path("state"), masterKeys: settings.path("master-keys"),
        bootstrap: settings.optionalString("bootstrap"))
    // 2. sockets and files
    let schedulerd = try daemon.listener("broker")
    let relayd = try daemon.listener("mask")
    let courierd = try daemon.listener("forge")
    // 3. users and capabilities  4. every other descriptor  5. no new privileges, limits, not dumpable, paths, system
    //    calls
    try daemon.confine(
        keeping: [schedulerd.raw, relayd.raw, courierd.raw], profile: .brokerd,
        reads: [place.masterKeys] + (place.bootstrap.map { [$0] } ?? []),
        writes: [place.state, settings.path("grants")])
    // 6. the peers: nobody is served before the chain is verified and old grants are wiped
    let vault = try Vault(place, now: Posix.wallMilliseconds())
    let broker = Broker(vault, grants: settings.path("grants"), log: daemon.log)
    try broker.start()
    let loop = try PollLoop()
    let orders = try LinkServer<BrokerEdge>(
        loop: loop, listener: schedulerd, peerUID: settings.uid("schedulerd-uid"), handlers: broker.brokerHandlers)
    let masks = try LinkServer<MaskEdge>(
        loop: loop, listener: relayd, peerUID: settings.uid("relayd-uid"), handlers: broker.maskHandlers)
    let forges = try LinkServer<ForgeEdge>(
        loop: loop, listener: courierd, peerUID: settings.uid("courierd-uid"), handlers: broker.forgeHandlers)
    // 7. the loop
    try daemon.run(loop) {
        orders.close()
        masks.close()
        forges.close()
    }
}
