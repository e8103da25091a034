// bulkhead-spawnerd: holds the container engine's socket. Talks to schedulerd, relayd and the engine.

import Daemon
import Devices
import DockerRuntime
import Link
import Posix
import Sandbox
import SpawnPolicy
import Spawning
import Wire

Startup.main(
    "bulkhead-spawnerd", about: "holds the container engine and launches runners",
    keys: Settings.keys
) { daemon in
    // 1. configuration
    let settings = daemon.configuration
    let site = Settings.site(settings)
    if let mistake = site.mistake { throw Failure(.invalid, mistake) }
    // 2. sockets and files
    let listener = try daemon.listener("spawner")
    let host = try HostFindings.read(settings.path("host-tree"))
    for platform in host.inventory.emulated { daemon.log.info("found", ["emulator": platform.rawValue]) }
    for device in host.inventory.devices { daemon.log.info("found", ["device": device.id, "name": device.name]) }
    for problem in host.problems {
        daemon.log.warning("left out", ["what": problem.place, "why": "\(problem.error)"])
    }
    // 3. users and capabilities  4. every other descriptor  5. no new privileges, limits, not dumpable
    try daemon.confine(keeping: [listener.raw] + host.gauges.descriptors, profile: .spawnerd)
    // 6. the peers
    let loop = try PollLoop()
    let relay = LinkClient<StreamEdge>(loop: loop, path: settings.path("stream-socket"), role: .spawnerd)
    let engine = DockerRuntime(loop: loop, path: settings.path("engine-socket"))
    let service = SpawnService(
        loop: loop, runtime: engine, site: site, inventory: host.inventory, gauges: host.gauges, relay: relay,
        log: daemon.log)
    let server = try LinkServer<SpawnerEdge>(
        loop: loop, listener: listener, peerUID: settings.uid("schedulerd-uid"), handlers: service.handlers)
    relay.start()
    service.start()
    // 7. the loop
    try daemon.run(loop) { server.close() }
}
