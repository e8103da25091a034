// Errors for programs: one line of JSON with the code of the API, or a word for the exit status.

import BulkheadCLI
import Foundation
import Testing

@Suite struct CommandFailureTests {
    private struct Report: Decodable {
        struct Body: Decodable {
            let code: String
            let message: String
            let exit: Int32
        }

        let error: Body
    }

    @Test(
        arguments: [
            (CommandFailure("a \"b\"\nc", exit: .usage), "usage", 64),
            (CommandFailure("x", exit: .failure), "failed", 1),
            (CommandFailure("x", exit: .unauthorized), "unauthorized", 77),
            (CommandFailure("x", exit: .unavailable), "unavailable", 69),
            (CommandFailure("x", exit: .failure, code: "conflict"), "conflict", 1),
        ] as [(CommandFailure, String, Int32)])
    func oneLineOfJSON(_ failure: CommandFailure, _ code: String, _ exit: Int32) throws {
        let json = failure.json
        #expect(!json.contains("\n"))
        let report = try JSONDecoder().decode(Report.self, from: Data(json.utf8)).error
        #expect(report.code == code)
        #expect(report.exit == exit)
        #expect(report.message == failure.description)
    }
}
