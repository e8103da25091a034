// RotateMaster: a new key for everything, from one moment on.

import ArgumentParser
import Foundation
import Orders
import Wire

struct RotateMaster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-master", abstract: "Change the master key, the admin token and the admin key.",
        discussion: """
            At one moment every old token, ticket and job token and your old key are dead;
            jobs that wait or run with secrets are given them anew or end. Other users get
            new tokens, and put the broker's new public key (`bulkhead key show`) into the
            line `broker` of their key files. Runs on the machine of the
            broker, as the owner of the master key (root where the daemons have users of
            their own). It may be interrupted: run it again, and it says where it stood and
            goes on.

            EXAMPLES
              bulkhead secret rotate-master
              bulkhead secret rotate-master --state /tmp/bulkhead
            """)

    @Option(
        help: ArgumentHelp(
            "Directory of the master key; without it, the one of the state directory or "
                + "\(OperatorFiles.installed)/master.",
            valueName: "dir"))
    var masterKeys: String?

    @OptionGroup var keys: KeyOptions
    @OptionGroup var options: ClientOptions

    func run() async throws {
        try await runReporting(json: options.json) {
            let files = options.files
            guard let masters = masterKeys ?? files.masterKeys else {
                throw CommandFailure(
                    "there is no directory of master keys below \(files.directory); give --master-keys, and run this "
                        + "on the machine of the broker, as the owner of its keys", exit: .usage)
            }
            let client = try options.client()
            let environment = ProcessInfo.processInfo.environment["BULKHEAD_TOKEN"] ?? ""
            try await MasterRotation(
                masterKeys: masters, token: files.token, key: keys.path(files) ?? files.key,
                givenToken: environment.isEmpty ? nil : environment, house: Self.house(client), say: Terminal.note
            ).run()
            if options.json {
                Terminal.print(#"{"rotated":true}"#)
            } else {
                Terminal.print("the master key is changed; old tokens and keys are dead")
                Terminal.note("the new token is in \(files.token), the new key in \(keys.path(files) ?? files.key)")
            }
        }
    }

    private static func house(_ client: APIClient) -> MasterRotation.House {
        MasterRotation.House(
            accepts: { token in
                var asking = client
                asking.token = token
                do {
                    // brokerd itself answers this one.
                    _ = try await asking.send(try asking.request("GET", "/whoami"))
                    return true
                } catch let failure as CommandFailure where failure.code == "unauthorized" {
                    return false
                }
            },
            rotate: { key, token, order, master in
                var sending = client
                sending.token = token
                try await OrderDesk(client: sending, key: key).send(.rotate(order), value: master, repeatable: false)
            })
    }
}
