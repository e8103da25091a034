// The check behind the wall has the numbers of the one before it.

import JobModel
import Scheduling
import Testing
import Wire

@Suite struct SpecCheckTests {
    /// What a job file may say is what is taken, and no more: both ends of each bound, and one beyond.
    @Test func theBoundsAreThoseOfTheJobFile() throws {
        func isTaken(_ change: (inout JobSpec) -> Void) -> Bool {
            var spec = Samples.spec()
            spec.shape.resources.memoryBytes = UInt64(JobFile.Bounds.memory.upperBound)
            change(&spec)
            return (try? SpecCheck.check(JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual))) != nil
        }
        func check(_ bounds: ClosedRange<Int64>, _ set: (inout JobSpec, Int64) -> Void) {
            for value in [bounds.lowerBound, bounds.upperBound] { #expect(isTaken { set(&$0, value) }, "\(value)") }
            for value in [bounds.lowerBound - 1, bounds.upperBound + 1] {
                #expect(!isTaken { set(&$0, value) }, "\(value)")
            }
        }
        typealias Bounds = JobFile.Bounds
        check(Bounds.timeout) { $0.timeoutSeconds = UInt32($1) }
        check(Bounds.cpuMillis) { $0.shape.resources.cpuMillis = UInt32($1) }
        check(Bounds.pids) { $0.shape.resources.pids = UInt32($1) }
        check(Bounds.disk) { $0.shape.resources.diskBytes = UInt64($1) }
        check(Bounds.memory) {
            $0.shape.resources.memoryBytes = UInt64($1)
            $0.shape.resources.diskBytes = UInt64(Bounds.disk.lowerBound)
        }
        #expect(isTaken { $0.steps[0].timeoutSeconds = 0 })
        #expect(isTaken { $0.steps[0].timeoutSeconds = UInt32(Bounds.timeout.upperBound) })
        #expect(!isTaken { $0.steps[0].timeoutSeconds = UInt32(Bounds.timeout.upperBound) + 1 })
    }
}
