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
            return (try? SpecCheck.check(JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual)))
                != nil
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

    @Test func itSpeaksTheUnitsOfPeople() throws {
        func text(_ change: (inout JobSpec) -> Void) -> String? {
            var spec = Samples.spec()
            change(&spec)
            do throws(Failure) {
                try SpecCheck.check(JobDefinition(project: "shop", spec: spec, source: nil, schedule: .usual))
                return nil
            } catch { return error.text }
        }
        #expect(text { $0.shape.resources.memoryBytes = 1 << 20 } == "1MiB is not between 16MiB and 4TiB")
        #expect(text { $0.shape.resources.memoryBytes = .max }?.hasSuffix("is not between 16MiB and 4TiB") == true)
        #expect(text { $0.shape.resources.diskBytes = 1024 } == "1KiB is not between 1MiB and 4TiB")
        #expect(text { $0.shape.resources.cpuMillis = 5 } == "0.005 is not between 0.01 and 1024")
        #expect(text { $0.timeoutSeconds = 8 * 86400 } == "8d is not between 1s and 7d")
        #expect(text { $0.steps[1].timeoutSeconds = 700_000 } == "700000s is not between 1s and 7d")
        #expect(text { $0.shape.resources.pids = 7 } == "7 is not between 8 and 32768")
    }
}
