// libFuzzer's entry. An input that a target refuses is a good one; an OracleError or a trap is a finding.

import Deliveries
import Documents
import ForgeCalls
import GitLabRunner
import Posix
import SourceArchive
import Tar
import Wire

/// FUZZ_TARGET.
private let only = Posix.environment("FUZZ_TARGET").flatMap { Int($0) }
/// FUZZ_VARIANTS: inputs that each one stands for beside itself.
private let variants = Posix.environment("FUZZ_VARIANTS").flatMap { Int($0) } ?? 0

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let target = targets[only ?? Int(first) % targets.count]
    give(target, input.dropFirst())
    if variants > 0 {
        var made = Variants(of: input.dropFirst())
        for _ in 0..<variants { give(target, made.next()[...]) }
    }
    return 0
}

private func give(_ target: Target, _ input: ArraySlice<UInt8>) {
    do {
        try target(input)
    } catch is WireError {
        return
    } catch is Refusal {
        return
    } catch is JSONReader.Refused {
        return
    } catch is ForgeProblem {
        return
    } catch is PayloadProblem {
        return
    } catch is TarError {
        return
    } catch is TarProblem {
        return
    } catch is ArchiveProblem {
        return
    } catch {
        fatalError("oracle: \(error)")
    }
}
