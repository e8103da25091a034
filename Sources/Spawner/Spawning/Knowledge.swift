// What is remembered of the engine for a short while, so that a cold start costs no call that can be spared.

import Posix
import Runtime
import SpawnPolicy

/// A value and the moment after which it has to be asked for again.
struct Remembered<Value> {
    let value: Value
    private let until: UInt64

    init(_ value: Value, seconds: UInt64) {
        self.value = value
        until = Posix.monotonicNow() + seconds * 1_000_000_000
    }

    var fresh: Value? { Posix.monotonicNow() < until ? value : nil }
}

/// Lives on the loop's thread.
final class Knowledge {
    private static let images = 64
    private let runtime: any ContainerRuntime
    private var hostFacts: Remembered<HostFacts>?
    private var imageFacts: [String: Remembered<ImageFacts>] = [:]

    init(_ runtime: any ContainerRuntime) {
        self.runtime = runtime
    }

    /// An engine that was restarted may be another one: after any failure to reach it, everything is asked anew.
    func forget() {
        hostFacts = nil
        imageFacts = [:]
    }

    func host(_ answer: @escaping (Result<HostFacts, RuntimeError>) -> Void) {
        if let facts = hostFacts?.fresh { return answer(.success(facts)) }
        hostNow(answer)
    }

    /// For whoever wants to know whether the engine is there at all.
    func hostNow(_ answer: @escaping (Result<HostFacts, RuntimeError>) -> Void) {
        runtime.host { result in
            switch result {
            case .success(let facts): self.hostFacts = Remembered(facts, seconds: 30)
            case .failure: self.forget()
            }
            answer(result)
        }
    }

    /// A tag that moves is noticed within ten seconds; a container is made from the image's own name all the same.
    func image(_ name: String, _ answer: @escaping (Result<ImageFacts, RuntimeError>) -> Void) {
        if let facts = imageFacts[name]?.fresh { return answer(.success(facts)) }
        runtime.image(name) { result in
            if self.imageFacts.count >= Self.images { self.imageFacts = [:] }
            if case .success(let facts) = result { self.imageFacts[name] = Remembered(facts, seconds: 10) }
            answer(result)
        }
    }
}
