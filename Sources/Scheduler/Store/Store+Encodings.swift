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
            guard let bytes = recoded(row["bytes"], RunnerShape.self) else { continue }
            try write(db, bytes, toShape: row["id"])
        }
        for id in try Int64.fetchAll(db, sql: "SELECT id FROM jobs") {
            guard let old = try Data.fetchOne(db, sql: "SELECT spec FROM jobs WHERE id = ?", arguments: [id]),
                let bytes = recoded(old, JobSpec.self)
            else { continue }
            try db.execute(sql: "UPDATE jobs SET spec = ? WHERE id = ?", arguments: [bytes, id])
        }
    }

    /// A shape that stands there in two encodings becomes one.
    private static func write(_ db: Database, _ bytes: Data, toShape key: Int64) throws {
        let same = try Int64.fetchOne(
            db, sql: "SELECT id FROM shapes WHERE bytes = ? AND id <> ?", arguments: [bytes, key])
        guard let same else {
            return try db.execute(sql: "UPDATE shapes SET bytes = ? WHERE id = ?", arguments: [bytes, key])
        }
        for table in ["jobs", "runners"] {
            try db.execute(sql: "UPDATE \(table) SET shape = ? WHERE shape = ?", arguments: [same, key])
        }
        try db.execute(sql: "DELETE FROM shapes WHERE id = ?", arguments: [key])
    }

    private static func isReadable(_ bytes: Data, _ type: any OlderEncoded.Type) -> Bool {
        var reader = WireReader([UInt8](bytes))
        return (try? type.init(from: &reader)) != nil && (try? reader.finish()) != nil
    }

    /// The older encoding is known by being read to its last byte.
    private static func recoded(_ old: Data, _ type: any OlderEncoded.Type) -> Data? {
        if isReadable(old, type) { return nil }
        for encoding in [Encoding.version12, .version2, .version1] {
            var reader = WireReader([UInt8](old))
            if let message = try? type.read(encoding, from: &reader), (try? reader.finish()) != nil,
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
    /// Without steps by how the others went, and without artifacts.
    case version12
}

/// What is stored, and was stored in other words before.
private protocol OlderEncoded: WireMessage {
    static func read(_ encoding: Encoding, from reader: inout WireReader) throws -> Self
}

extension RunnerShape: OlderEncoded {
    fileprivate static func read(_ encoding: Encoding, from reader: inout WireReader) throws -> RunnerShape {
        if encoding == .version12 { return try RunnerShape(from: &reader) }
        return RunnerShape(
            image: try reader.text(short: 1, 255, "image"), platform: try Platform(from: &reader),
            profile: try Profile(from: &reader), resources: try Resources(from: &reader),
            untrustedSteps: encoding == .version2 ? try reader.bool() : false, gpus: nil)
    }
}

extension JobSpec: OlderEncoded {
    fileprivate static func read(_ encoding: Encoding, from reader: inout WireReader) throws -> JobSpec {
        let name = try reader.text(short: 1, 128, "name")
        let shape = try RunnerShape.read(encoding, from: &reader)
        let timeout = try reader.u32()
        let silence = encoding == .version12 ? try reader.u32() : 0
        var env: [Variable] = []
        for _ in 0..<(try reader.count(0, 64, each: 4, "env")) { env.append(try Variable(from: &reader)) }
        var steps: [Step] = []
        for _ in 0..<(try reader.count(1, 32, each: 9, "steps")) { steps.append(try step(encoding, from: &reader)) }
        return JobSpec(
            name: name, shape: shape, timeoutSeconds: timeout, silenceSeconds: silence, env: env, steps: steps,
            artifacts: [])
    }

    private static func step(_ encoding: Encoding, from reader: inout WireReader) throws -> Step {
        var step = Step(
            name: try reader.text(short: 1, 128, "name"), run: try reader.text(short: 1, 16384, "run"),
            timeoutSeconds: try reader.u32(), continueOnError: try reader.bool(), untrusted: false,
            when: .onSuccess, secrets: [])
        if encoding == .version1 { return step }
        step.untrusted = try reader.bool()
        for _ in 0..<(try reader.count(0, 16, each: 7, "secrets")) {
            step.secrets.append(try SecretUse(from: &reader))
        }
        return step
    }
}
