// libFuzzer's entry. An input that a target refuses is a good one; an OracleError or a trap is a finding.

import Wire

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    do {
        try targets[Int(first) % targets.count](input.dropFirst())
    } catch is WireError {
        return 0
    } catch {
        fatalError("oracle: \(error)")
    }
    return 0
}
