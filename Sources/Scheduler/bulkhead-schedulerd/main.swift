// bulkhead-schedulerd: holds the database of jobs and runners, and decides. It faces its siblings only: apid asks,
// spawnerd makes containers, relayd speaks with what runs in them.

import Daemon
import Link
import Posix
import Scheduling

Startup.main("bulkhead-schedulerd", about: "keeps the queue, and gives jobs to runners", keys: SchedulerDaemon.keys) {
    daemon in
    // 1. configuration: read by Startup; all mistakes at once, exit 64
    let settings = daemon.configuration
    // 2. sockets and files
    let listener = try daemon.listener("scheduler")
    let token = try SchedulerDaemon.readToken(settings.path("admin-token-hash-file"))
    // 3. users and capabilities  4. every other descriptor  5. no new privileges, limits, not dumpable
    try daemon.confine(keeping: [listener.raw])
    // The database comes after: SQLite opens files as it needs them, as the user that it runs as.
    let service = try SchedulerDaemon(settings, token: token, log: daemon.log)
    // 6. the peers: apid may ask; spawnerd and relayd are asked
    let server = try service.serve(listener, peerUID: settings.uid("apid-uid"))
    service.start()
    // 7. the loop: until SIGTERM or SIGINT
    try daemon.run(service.loop) { server.close() }
    withExtendedLifetime((service, server)) {}
}
