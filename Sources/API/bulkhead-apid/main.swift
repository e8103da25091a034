// bulkhead-apid: HTTP for people and programs. Holds nothing; asks schedulerd for everything.

import APIServer
import Daemon
import Posix
import Sandbox

Startup.main(
    "bulkhead-apid", about: "serves the HTTP API; decides nothing",
    keys: [
        .required("scheduler-socket", .path, "Socket of bulkhead-schedulerd"),
        .defaulted("connections", .int(1...16_384), "1024", "HTTP connections at the same time; further ones wait"),
    ]
) { daemon in
    // 1. configuration: read by Startup; all mistakes at once, exit 64
    let settings = daemon.configuration
    var limits = HTTPLimits()
    limits.connections = settings.int("connections")

    // 2. sockets and files
    let listener = try daemon.listener("http", .tcp)

    // 3. users and capabilities  4. every other descriptor  5. privileges, limits, not dumpable, paths, system calls
    // The dispatch library looks at its own threads in /proc, and ends the process if it cannot. All of /proc, since a
    // rule for /proc/self is lost when the kernel makes that directory's inode anew; what there is of others' the
    // kernel's own checks keep closed.
    try daemon.confine(
        keeping: [listener.raw], profile: .apid, reads: ["/etc/localtime", "/proc"],
        openFiles: HTTPLimits.openFiles(connections: limits.connections))

    // 6. the peers
    let service = try APIService(
        schedulerSocket: settings.path("scheduler-socket"), limits: limits, log: daemon.log)
    service.start(listener)

    // 7. the loop, which is the link's: until SIGTERM or SIGINT, and then until what is under way is answered
    try daemon.run(service.loop) { service.stop() }
    try service.runLink()
}
