// relayd: holds the streams to the runners and the store of logs and sources. Faces every byte that a job writes.

import Daemon
import Link
import LogStore
import Posix
import Relaying
import Sandbox
import Wire

Startup.main(
    "bulkhead-relayd", about: "holds the streams to the runners, the logs and the sources",
    keys: [
        .required("state", .path, "Directory of logs, journals and sources"),
        .required("schedulerd-uid", .uid, "The only user that may use the relay edge"),
        .required("spawnerd-uid", .uid, "The only user that may use the stream edge"),
        .required("mask-socket", .path, "Socket of the mask edge, where brokerd says what must not be in a log"),
        .defaulted("log-limit", .int(1...(1 << 50), unit: "bytes"), "1073741824", "Output that is stored per attempt"),
        .defaulted("source-limit", .int(1...(1 << 50), unit: "bytes"), "1073741824", "Largest source archive"),
        .defaulted("upload-limit", .int(1...1024), "16", "Uploads that are under way at once"),
        .defaulted("upload-idle", .int(1...86_400, unit: "seconds"), "60", "An upload without a byte so long fails"),
        .defaulted("runner-limit", .int(1...65536), "1024", "Runners that are attached at once"),
        .defaulted("sync-time", .int(1...86_400, unit: "seconds"), "10", "Time for an attached runner to answer"),
    ]
) { daemon in
    // 1. configuration: read; all mistakes at once, exit 64
    let settings = daemon.configuration
    let limits = RelayLimits(settings)
    // 2. sockets and files
    let relayEdge = try daemon.listener("relay")
    let streamEdge = try daemon.listener("stream")
    // 3. users and capabilities  4. every other descriptor  5. no new privileges, limits, paths, system calls
    // A runner with a job has five descriptors: stream, log, journal, source, an artifact.
    try daemon.confine(
        keeping: [relayEdge.raw, streamEdge.raw], profile: .relayd, writes: [settings.path("state")],
        openFiles: 8 * UInt64(limits.runners) + 256)
    // The store opens its files as the user that owns them.
    let store = try LogStore(
        state: settings.path("state"), limit: limits.logBytes, artifactLimit: limits.artifactBytes)
    for note in store.notes { daemon.log.warning(note) }
    let sources = try SourceStore(state: settings.path("state"))
    // 6. the peers
    let loop = try PollLoop()
    let broker = Relay.maskClient(loop, settings.path("mask-socket"), limits, daemon.log)
    let relay = Relay(loop: loop, store: store, sources: sources, broker: broker, limits: limits, log: daemon.log)
    let scheduler = try LinkServer(
        loop: loop, listener: relayEdge, peerUID: settings.uid("schedulerd-uid"), handlers: relay.schedulerHandlers())
    let spawner = try LinkServer(
        loop: loop, listener: streamEdge, peerUID: settings.uid("spawnerd-uid"), handlers: relay.spawnerHandlers())
    broker.start()
    // 7. the loop: until SIGTERM or SIGINT
    try daemon.run(loop) { relay.stop() }
    withExtendedLifetime((scheduler, spawner)) {}
}
