// APIProblem: the error body of the API, and what it means to a person.

import Foundation

/// `{"error": {"code", "message", "place", "problems"}}`.
struct APIProblem: Decodable {
    struct Body: Decodable {
        struct Detail: Decodable {
            let place: String?
            let message: String
        }

        let code: String
        let message: String
        let place: String?
        let problems: [Detail]?
    }

    let error: Body

    static func failure(status: Int, body: Data, base: URL, hasToken: Bool) -> CommandFailure {
        guard let problem = try? JSONDecoder().decode(APIProblem.self, from: body).error else {
            return CommandFailure("\(base) answered with status \(status) and no explanation", exit: .failure)
        }
        if status == 401 {
            let mend =
                hasToken
                ? "the token is not one that this server knows; set BULKHEAD_TOKEN to the text in its admin-token file"
                : "set BULKHEAD_TOKEN, or give --state the directory that `bulkhead up` uses"
            let said =
                switch problem.message {
                case "the token has expired":
                    "\(problem.message); make another (`bulkhead token create`), or ask an admin of the house"
                case "the user of this token was removed": "\(problem.message); ask an admin of the house"
                default: mend
                }
            return CommandFailure("not authorized: \(said)", exit: .unauthorized, code: problem.code)
        }
        if problem.code == "order_refused" {
            return CommandFailure(
                "the broker refuses the order (\(Terminal.printable(problem.message))): the key is not one that this "
                    + "house knows, or is from before a rotation; give --key the present key file of the token's user",
                exit: .unauthorized, code: problem.code)
        }
        var lines = (problem.problems ?? []).map { [$0.place, $0.message].compactMap(\.self).joined(separator: ": ") }
        if lines.isEmpty {
            lines = [
                [problem.place, problem.message].compactMap { $0?.isEmpty == true ? nil : $0 }.joined(separator: ": ")
            ]
        }
        let exit: Exit =
            status == 503 || status == 504
            ? .unavailable
            : problem.code == "denied_by_policy" ? .unauthorized : status < 500 ? .usage : .failure
        return CommandFailure(
            Terminal.printable(lines.joined(separator: " | ")) + " (\(problem.code))", exit: exit, code: problem.code)
    }
}
