// libFuzzer's entry. An input that a target refuses is a good one; an OracleError or a trap is a finding.

import Deliveries
import Documents
import ForgeCalls
import Posix
import Tar
import Wire

/// FUZZ_TARGET.
private let only = Posix.environment("FUZZ_TARGET").flatMap { Int($0) }

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    do {
        try targets[only ?? Int(first) % targets.count](input.dropFirst())
    } catch is WireError {
        return 0
    } catch is Refusal {
        return 0
    } catch is JSONReader.Refused {
        return 0
    } catch is ForgeProblem {
        return 0
    } catch is TarError {
        return 0
    } catch is TarProblem {
        return 0
    } catch {
        fatalError("oracle: \(error)")
    }
    return 0
}
