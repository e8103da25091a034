// The words of the API and of metrics for what the schema has words for: its own.

package import Wire

extension SchedulerEdge.WhyKind {
    /// `group_is_busy` for `groupIsBusy`.
    package var label: String { "\(self)".snakeCased }
}

extension String {
    /// A name of the generated code as its schema has it: `timedOut` is `timed_out` there.
    package var snakeCased: String {
        reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
}
