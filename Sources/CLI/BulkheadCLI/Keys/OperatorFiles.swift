// OperatorFiles: where the admin's token and key lie when nobody says otherwise: in the state directory of
// `bulkhead up`, or where `bulkhead init` put them.

import Foundation

struct OperatorFiles {
    /// Where `bulkhead init` puts what belongs to the admin.
    static let installed = "/etc/bulkhead"

    let directory: String

    /// `state`: what `--state` says; nil: the first of the usual places that is there.
    init(state: String?) {
        if let state {
            directory = URL(fileURLWithPath: state).standardizedFileURL.path
            return
        }
        let usual = [StateDirectory.standard, Self.installed]
        directory =
            usual.first { FileManager.default.fileExists(atPath: "\($0)/\(HouseKeys.token)") }
            ?? StateDirectory.standard
    }

    var token: String { "\(directory)/\(HouseKeys.token)" }
    var key: String { "\(directory)/\(HouseKeys.key)" }

    /// Where this house keeps its master keys, if they are on this machine and within reach.
    var masterKeys: String? {
        ["\(directory)/brokerd/master", "\(directory)/master"].first { FileManager.default.fileExists(atPath: $0) }
    }
}
