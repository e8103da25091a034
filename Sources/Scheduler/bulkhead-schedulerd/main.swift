// bulkhead-schedulerd: holds the database of jobs and runners, and decides. It faces its siblings only: apid asks,
// brokerd says who asks and what for, spawnerd makes containers, relayd speaks with what runs in them.

import Daemon
import Link
import Posix
import Sandbox
import Scheduling

Startup.main("bulkhead-schedulerd", about: "keeps the queue, and gives jobs to runners", keys: SchedulerDaemon.keys) {
    daemon in
    // 1. configuration: read by Startup; all mistakes at once, exit 64
    let settings = daemon.configuration
    // 2. sockets and files
    let listener = try daemon.listener("scheduler")
    // 3. users and capabilities  4. every other descriptor  5. no new privileges, limits, files, system calls
    // SQLite opens the files of the database as it needs them, and asks this device for random numbers.
    try daemon.confine(
        keeping: [listener.raw], profile: .schedulerd, reads: ["/dev/urandom"], writes: [settings.path("state")])
    let service = try SchedulerDaemon(daemon)
    // 6. the peers: apid may ask; brokerd, spawnerd and relayd are asked
    let server = try service.serve(listener, peerUID: settings.uid("apid-uid"))
    service.start()
    // 7. the loop: until SIGTERM or SIGINT, and then until the runners that wait are gone
    try daemon.run(service.loop) { server.close() }
    service.leave()
    withExtendedLifetime(server) {}
}
