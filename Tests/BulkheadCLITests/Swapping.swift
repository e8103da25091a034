// A daemon that was taken over and owns a directory: it exchanges two names in it, over and over, while root works
// there. One try wins rarely, thousands of them do.

import Foundation
import Synchronization

final class Swapping: Sendable {
    private let ends = Atomic(false)
    private let ended = DispatchSemaphore(value: 0)

    /// renameat2(2), bound by its name: the importer leaves it out.
    private static let exchange: @Sendable (String, String) -> Void = {
        typealias Call = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
        guard let symbol = dlsym(nil, "renameat2") else { return { _, _ in } }
        let call = unsafeBitCast(symbol, to: Call.self)
        // The control notices if it has no effect.
        return { _ = call(AT_FDCWD, $0, AT_FDCWD, $1, 2 /* RENAME_EXCHANGE */) }
    }()

    /// Exchanges the two names until `stop`.
    init(_ first: String, _ second: String) {
        Thread { [self] in
            while !ends.load(ordering: .relaxed) { Self.exchange(first, second) }
            ended.signal()
        }.start()
    }

    func stop() {
        ends.store(true, ordering: .relaxed)
        ended.wait()
    }

    /// The control: how often `naive` has to be tried until `isHit`. Then `good` is tried ten times as often, and 1000
    /// times more.
    static func attack(
        _ first: String, _ second: String, naive: () throws -> Void, good: () throws -> Void, isHit: () throws -> Bool
    ) throws -> (control: Bool, hit: Bool) {
        let swapping = Swapping(first, second)
        defer { swapping.stop() }
        var tries = 0
        var control = false
        while !control && tries < 200_000 {
            tries += 1
            // It fails whenever it finds the link at first.
            try? naive()
            control = try isHit()
        }
        for _ in 0..<(tries * 5 + 300) {
            try? good()
            if try isHit() { return (control, true) }
        }
        return (control, false)
    }
}
