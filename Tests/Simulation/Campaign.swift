// Many runs, one after another, each on a database of its own.

import Files
import Posix

final class Campaign {
    private let options: Options
    /// In memory, if there is such a place: what a simulated machine loses is decided by the simulation.
    private let directory: String
    private let quiet: FileDescriptor

    init(_ options: Options) throws {
        self.options = options
        let memory = (try? Posix.directoryEntries("/dev/shm")) != nil
        directory = "\(memory ? "/dev/shm" : "/tmp")/bulkhead-simulation-\(UInt64.random(in: 0 ... .max))"
        quiet = try Posix.open("/dev/null", [.writeOnly])
    }

    /// The exit status.
    func run() throws -> Int32 {
        try Posix.mkdir(directory, mode: 0o700)
        defer { clear(andDirectory: true) }
        let begin = Posix.monotonicNow()
        var (runs, restarts, commits, attempts) = (0, 0, 0, 0)
        var seed = options.first
        while runs < options.count {
            if let seconds = options.seconds, Posix.monotonicNow() - begin > seconds * .second { break }
            let simulation = Simulation(
                seed: seed, database: directory + "/scheduler.sqlite", isTraced: options.isTraced, log: quiet.raw)
            let violation = try simulation.run()
            clear(andDirectory: false)
            if let violation {
                print("simulate: seed \(seed): \(violation)")
                print("simulate: see it again with: simulate --seed \(seed) --trace")
                return 1
            }
            runs += 1
            restarts += simulation.restarts
            commits += simulation.commits
            attempts += simulation.checker.attemptsBegun
            seed += 1
        }
        let time = (Posix.monotonicNow() - begin) / .second
        print(
            "simulate: \(runs) seeds from \(options.first) on, \(restarts) kills of schedulerd, \(commits) commits, "
                + "\(attempts) attempts begun, \(time) s: no invariant was violated")
        return 0
    }

    private func clear(andDirectory: Bool) {
        for name in (try? Posix.directoryEntries(directory)) ?? [] { try? Posix.unlink("\(directory)/\(name)") }
        if andDirectory { try? Posix.rmdir(directory) }
    }
}
