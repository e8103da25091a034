// SourceArchive: packs a directory for `submit --source`: what git tracks and what it does not ignore, or everything.
// git and tar do the work; the archive is a temporary file, so that its length is known before the first byte is sent.

import Crypto
package import Foundation

package final class SourceArchive {
    package let file: URL
    let size: UInt64

    /// Packs `directory`. The same files give the same bytes, so the store keeps one copy.
    package init(of directory: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw CommandFailure("\(directory) is not a directory; give --source the root of your code", exit: .usage)
        }
        let archive = FileManager.default.temporaryDirectory
            .appendingPathComponent("bulkhead-source-\(UUID().uuidString).tar")
        file = archive
        let names = try SourceNames.fromGit(directory)
        var arguments = [
            "--create", "--file", archive.path, "--directory", directory, "--format=pax", "--sort=name", "--owner=0",
            "--group=0", "--numeric-owner", "--mtime=@0",
            "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
        ]
        arguments += names == nil ? ["."] : ["--null", "--no-recursion", "--verbatim-files-from", "--files-from=-"]
        do {
            do {
                _ = try Tool.run("tar", arguments, input: names)
            } catch let failure as CommandFailure {
                throw Self.changed(failure.description) ?? failure
            }
            let attributes = try FileManager.default.attributesOfItem(atPath: archive.path)
            size = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
        } catch {
            try? FileManager.default.removeItem(at: archive)
            throw Self.unreadable(archive.path, error)
        }
    }

    /// What to say if somebody has written there meanwhile; nil: `words` of tar are about something else.
    package static func changed(_ words: String) -> CommandFailure? {
        let signs = ["file changed as we read it", "File removed before we read it", "File shrank by"]
        let lines = words.split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { line in signs.contains { line.contains($0) } }) else { return nil }
        let told = line.range(of: "tar: ").map { line[$0.upperBound...] } ?? line
        return CommandFailure(
            "the source changed while it was packed (\(Terminal.printable(String(told.prefix(200))))), so nothing was "
                + "submitted: wait until whatever writes there is done, or have git ignore what it writes; then submit "
                + "again",
            exit: .failure)
    }

    /// The name of these bytes in the store.
    func sha256() throws -> String {
        var hash = SHA256()
        do {
            let reader = try FileHandle(forReadingFrom: file)
            defer { try? reader.close() }
            while let part = try reader.read(upToCount: 1 << 20), !part.isEmpty { hash.update(data: part) }
        } catch {
            throw Self.unreadable(file.path, error)
        }
        return StateDirectory.hex(Array(hash.finalize()))
    }

    private static func unreadable(_ path: String, _ error: any Error) -> any Error {
        if error is CommandFailure { return error }
        return CommandFailure(
            "cannot read the packed source \(path): \(CommandFailure.cause(of: error)); see that TMPDIR is a directory "
                + "of yours with room in it", exit: .failure)
    }

    deinit {
        try? FileManager.default.removeItem(at: file)
    }
}

/// Runs a system tool to its end.
enum Tool {
    /// Standard output of `name arguments`. Throws a `CommandFailure` with the tool's own words when it fails.
    static func run(
        _ name: String, _ arguments: [String], environment: [String: String]? = nil, input: Data? = nil
    ) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        if let environment { process.environment = environment }
        let (output, errors, stdin) = (Pipe(), Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = stdin
        do {
            try process.run()
        } catch {
            throw CommandFailure("cannot start \(name): \(CommandFailure.cause(of: error))", exit: .failure)
        }
        // Written on a thread of its own: a tool that talks before it has read everything must not hang us.
        let writer = Thread {
            if let input { try? stdin.fileHandleForWriting.write(contentsOf: input) }
            try? stdin.fileHandleForWriting.close()
        }
        writer.start()
        let result = try output.fileHandleForReading.readToEnd() ?? Data()
        let words = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = String(decoding: words, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw CommandFailure("\(name) failed: \(text)", exit: .failure)
        }
        return result
    }
}
