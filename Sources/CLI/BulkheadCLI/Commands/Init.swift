// Init: what an installed system needs before its units start for the first time. `bulkhead up` does the same by
// itself.

import ArgumentParser
import Foundation
import Posix

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make the keys of an installed system, once.",
        discussion: """
            Makes what is missing, and never overwrites: DIRECTORY/master/current (the key
            of all secrets: keep a copy in a safe place), DIRECTORY/admin-token,
            DIRECTORY/admin-key, and for the broker's first start BROKER-STATE/bootstrap.
            Where the broker has its store already, nothing is made.

            EXAMPLES
              bulkhead init
              bulkhead init --directory /etc/bulkhead-two --broker-state /srv/two
            """)

    @Option(help: ArgumentHelp("Where the keys are kept.", valueName: "dir"))
    var directory = OperatorFiles.installed

    @Option(help: ArgumentHelp("State directory of bulkhead-brokerd.", valueName: "dir"))
    var brokerState = "/var/lib/bulkhead/brokerd"

    func run() throws {
        try reporting {
            let directory = URL(fileURLWithPath: directory).standardizedFileURL.path
            let broker = URL(fileURLWithPath: brokerState).standardizedFileURL.path
            do {
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            } catch {
                throw CommandFailure(
                    "cannot make \(directory): \(CommandFailure.cause(of: error)); be root, or give a --directory",
                    exit: .failure)
            }
            try StateDirectory.make(directory + "/master", mode: 0o700)
            try makeBrokerState(broker)
            let made = try HouseKeys(people: directory, masterKeys: directory + "/master", brokerState: broker)
                .prepare()
            for path in made { Terminal.print("made \(path)") }
            if made.isEmpty { Terminal.print("already prepared: nothing to do") }
        }
    }

    /// One that is there is left as it is: tmpfiles.d or systemd have made it for the right user.
    private func makeBrokerState(_ path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        } catch {
            throw CommandFailure(
                "cannot make \(parent): \(CommandFailure.cause(of: error)); be root, or give another --broker-state",
                exit: .failure)
        }
        let user = Posix.userID == 0 ? Accounts.user(named: Compartment.brokerd.user.name) : nil
        try StateDirectory.make(path, mode: 0o700, owner: user.map { Owner(uid: $0.uid, gid: $0.gid) })
    }
}
