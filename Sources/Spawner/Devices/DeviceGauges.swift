// What a GPU does, from files that were opened before spawnerd confined itself. AMD's driver has such files; Intel's
// have none, and NVIDIA's wants its own library, which has no place in this process.

import Posix

/// Lives on the loop's thread, once it is filled.
package final class DeviceGauges {
    package struct Reading: Equatable, Sendable {
        package let busyPercent: UInt8?
        package let memoryUsedBytes: UInt64?

        package init(busyPercent: UInt8?, memoryUsedBytes: UInt64?) {
            self.busyPercent = busyPercent
            self.memoryUsedBytes = memoryUsedBytes
        }
    }

    private final class Gauge {
        let file: FileDescriptor
        init(_ file: consuming FileDescriptor) { self.file = file }

        /// nil: the device is gone, or the file says something else.
        var number: UInt64? {
            do throws(TreeError) { return try HostTree.contents(file.raw).number() } catch { return nil }
        }
    }

    private var busy: [String: Gauge] = [:]
    private var memory: [String: Gauge] = [:]

    package init() {}

    /// To be kept open.
    package var descriptors: [Int32] { (Array(busy.values) + Array(memory.values)).map { $0.file.raw } }

    /// Older kernels lack one or the other.
    func add(_ id: String, _ directory: String, _ tree: borrowing HostTree) {
        busy[id] = Self.gauge("\(directory)/gpu_busy_percent", tree)
        memory[id] = Self.gauge("\(directory)/mem_info_vram_used", tree)
    }

    private static func gauge(_ path: String, _ tree: borrowing HostTree) -> Gauge? {
        do throws(TreeError) { return Gauge(try tree.file(path)) } catch { return nil }
    }

    package func read(_ id: String) -> Reading {
        let percent = busy[id]?.number.flatMap { $0 <= 100 ? UInt8($0) : nil }
        return Reading(busyPercent: percent, memoryUsedBytes: memory[id]?.number)
    }
}
