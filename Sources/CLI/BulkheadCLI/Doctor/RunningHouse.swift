// RunningHouse: where a `bulkhead up` on this machine keeps its state: there are the token, the key and the logs of the
// house that answers, wherever its owner has put them.

import Foundation

package enum RunningHouse {
    /// The state directory of the house that listens on this port; nil if there is none that we may see.
    static func state(listeningOn port: Int) -> String? {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in processes where process.allSatisfy(\.isNumber) {
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { continue }
            let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let house = read(words), house.port == port,
                let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            else { continue }
            let place = URL(fileURLWithPath: house.state, relativeTo: URL(fileURLWithPath: folder, isDirectory: true))
            return place.standardizedFileURL.path
        }
        return nil
    }

    /// What the words of a command line say, if it is an `up` of ours.
    package static func read(_ words: [String]) -> (state: String, port: Int)? {
        guard words.count > 1, words[0].split(separator: "/").last == "bulkhead", words[1] == "up" else { return nil }
        let listen = option("--listen", words)?.split(separator: ":").last.flatMap { Int($0) } ?? 7700
        return (option("--state", words) ?? StateDirectory.standard, listen)
    }

    private static func option(_ name: String, _ words: [String]) -> String? {
        for (index, word) in words.enumerated().reversed() {
            if word == name, index + 1 < words.count { return words[index + 1] }
            if word.hasPrefix("\(name)=") { return String(word.dropFirst(name.count + 1)) }
        }
        return nil
    }
}
