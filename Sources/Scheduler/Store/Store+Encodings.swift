// Shapes and specs are stored as they go over the wire, and the wire has changed since the first versions: what those
// stored is written anew.

import Foundation
import GRDB
import Wire

extension Store {
    /// Every stored shape and spec in today's encoding. A row that does not read was damaged before, and stays so:
    /// whoever meets it gives it up.
    static func recode(_ db: Database) throws {
        for row in try Row.fetchAll(db, sql: "SELECT id, bytes FROM shapes") {
            guard let bytes = recoded(row["bytes"], { try $0.shape(of: $1) }) else { continue }
            try db.execute(
                sql: "UPDATE shapes SET bytes = ? WHERE id = ?", arguments: [bytes, row["id"] as Int64])
        }
        for id in try Int64.fetchAll(db, sql: "SELECT id FROM jobs") {
            guard let old = try Data.fetchOne(db, sql: "SELECT spec FROM jobs WHERE id = ?", arguments: [id]),
                let bytes = recoded(old, { try $0.spec(of: $1) })
            else { continue }
            try db.execute(sql: "UPDATE jobs SET spec = ? WHERE id = ?", arguments: [bytes, id])
        }
    }

    /// The older encoding is known by being read to its last byte.
    private static func recoded<M: WireMessage>(
        _ old: Data, _ read: (inout WireReader, Encoding) throws(WireError) -> M
    ) -> Data? {
        for encoding in [Encoding.version2, .version1] {
            var reader = WireReader([UInt8](old))
            if let message = try? read(&reader, encoding), (try? reader.finish()) != nil,
                let bytes = try? message.encoded()
            {
                return Data(bytes)
            }
        }
        return nil
    }
}

/// The encodings of older schema versions.
private enum Encoding {
    /// Without secrets and untrusted steps.
    case version1
    /// Without GPUs and silence.
    case version2
}

extension WireReader {
    fileprivate mutating func shape(of encoding: Encoding) throws(WireError) -> RunnerShape {
        RunnerShape(
            image: try text(short: 1, 255, "image"), platform: try Platform(from: &self),
            profile: try Profile(from: &self), resources: try Resources(from: &self),
            untrustedSteps: encoding == .version2 ? try bool() : false, gpus: nil)
    }

    fileprivate mutating func spec(of encoding: Encoding) throws(WireError) -> JobSpec {
        let name = try text(short: 1, 128, "name")
        let shape = try shape(of: encoding)
        let timeout = try u32()
        var env: [Variable] = []
        for _ in 0..<(try count(0, 64, each: 4, "env")) { env.append(try Variable(from: &self)) }
        var steps: [Step] = []
        for _ in 0..<(try count(1, 32, each: 9, "steps")) { steps.append(try step(of: encoding)) }
        return JobSpec(
            name: name, shape: shape, timeoutSeconds: timeout, silenceSeconds: 0, env: env, steps: steps)
    }

    private mutating func step(of encoding: Encoding) throws(WireError) -> Step {
        // Steps have not changed since version 2.
        if encoding == .version2 { return try Step(from: &self) }
        return Step(
            name: try text(short: 1, 128, "name"), run: try text(short: 1, 16384, "run"), timeoutSeconds: try u32(),
            continueOnError: try bool(), untrusted: false, secrets: [])
    }
}
