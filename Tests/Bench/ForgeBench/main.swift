// Whether a signature check tells by its time how much of a guess was right, and what the largest delivery costs.
// `--control` measures a comparison that does tell: the method has to see that.

struct Failed: Error, CustomStringConvertible {
    let description: String
}

let isControl = CommandLine.arguments.contains("--control")
for check in try Check.all() where check.isControl == isControl {
    let t = try Timing.t(calls: 200_000, check.classes)
    let isEven = abs(t) < Timing.bound
    print("\(check.name): t = \(t), \(isEven ? "even" : "its time tells")")
    if isEven == isControl { throw Failed(description: isControl ? "the method sees nothing" : check.name) }
}
if !isControl { try LargestDelivery.measure() }
