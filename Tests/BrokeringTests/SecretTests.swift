// What a Secret promises, and the one place where plaintext comes into one.

import Crypto
import Files
import Foundation
import Glibc
import Posix
import Secret
import Testing
import Vault

extension BrokeringTests {
    @Suite struct SecretTests {
        private func secret(_ text: String, capacity: Int = 64) throws -> Secret {
            var secret = try Secret(capacity: capacity)
            try Array(text.utf8).withUnsafeBytes { try secret.append($0) }
            return secret
        }

        @Test func holdsNoMoreThanItsCapacity() throws {
            var secret = try secret("0123456789", capacity: 12)
            #expect(throws: SecretError.full(capacity: 12)) {
                try Array("abc".utf8).withUnsafeBytes { try secret.append($0) }
            }
            #expect(secret.count == 10)
            #expect(secret.withBytes { Array($0) } == Array("0123456789".utf8))
        }

        @Test func wipingOverwrites() throws {
            var secret = try secret("0123456789")
            let base = secret.withBytes { Int(bitPattern: $0.baseAddress) }
            secret.wipe()
            let memory = try #require(UnsafeRawPointer(bitPattern: base))
            #expect((0..<10).allSatisfy { memory.load(fromByteOffset: $0, as: UInt8.self) == 0 })
            #expect(secret.count == 0)  // and it lives until here
        }

        /// `lo` locked, `dd` left out of dumps, `wf` empty after a fork.
        @Test func pagesAreGuarded() throws {
            let guarded = try secret("0123456789")
            let flags = try guarded.withBytes { try Self.flags(of: UInt(bitPattern: $0.baseAddress)) }
            #expect(flags.isSuperset(of: ["lo", "dd", "wf"]), "\(flags)")
            let plain = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { plain.deallocate() }
            #expect(try Self.flags(of: UInt(bitPattern: plain)).isDisjoint(with: ["lo", "dd", "wf"]))
        }

        private static func flags(of address: UInt) throws -> Set<String> {
            var isInside = false
            let map = String(decoding: try Posix.readFile("/proc/self/smaps", limit: 1 << 24), as: UTF8.self)
            for line in map.split(separator: "\n") {
                let words = line.split(separator: " ")
                let ends = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                if ends.count == 2 { isInside = (ends[0]..<ends[1]).contains(address) }
                if isInside && words[0] == "VmFlags:" { return Set(words.dropFirst().map(String.init)) }
            }
            throw HarnessError(description: "no page at \(String(address, radix: 16))")
        }

        /// Of every size, and when a piece is moved; the control is memory that is not given back.
        @Test func freedMemoryIsOverwritten() throws {
            for size in [64, 500, 1000, 5000, 20_000] {
                let kept = try #require(malloc(size))
                let first = try #require(malloc(size))
                memset(kept, 0xa5, size)
                memset(first, 0xa5, size)
                let moved = try #require(realloc(first, 3 * size))
                #expect(moved != first && Self.marks(first, size) == 0)
                #expect(Self.marks(moved, size) == size - 16 && Self.marks(kept, size) == size - 16)
                free(moved)
                #expect(Self.marks(moved, size) == 0)
                free(kept)
            }
        }

        /// How often 0xa5 stands there, behind the two words that belong to the allocator in a piece that is free.
        private static func marks(_ memory: UnsafeMutableRawPointer, _ size: Int) -> Int {
            (16..<size).reduce(0) { $0 + (memory.load(fromByteOffset: $1, as: UInt8.self) == 0xa5 ? 1 : 0) }
        }

        @Test func comparesEveryByte() throws {
            let one = try secret("0123456789")
            #expect(Secret.equal(one, try secret("0123456789")))
            #expect(!Secret.equal(one, try secret("0123456788")))
            #expect(!Secret.equal(one, try secret("1123456789")))
            #expect(!Secret.equal(one, try secret("012345678")))
        }

        @Test func filesAreReadWholeOrNotAtAll() throws {
            let directory = try TestDirectory()
            try directory.write("file", Array("0123456789".utf8))
            let file = try Posix.open("\(directory.path)/file", .readOnly)
            var buffer = [UInt8](repeating: 0, count: 4)
            _ = try Posix.read(file.raw, into: &buffer)  // where its position stands does not matter
            #expect(Secret.equal(try Secret(contentsOf: file.raw, limit: 10), try secret("0123456789")))
            #expect(throws: SecretError.full(capacity: 9)) { _ = try Secret(contentsOf: file.raw, limit: 9) }
        }

        /// What swift-crypto hands out is overwritten where it lies, before its memory is given back.
        @Test func emptyingOverwritesTheSource() throws {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
            memory.initializeMemory(as: UInt8.self, repeating: 7, count: 64)
            nonisolated(unsafe) var sum = -1
            var data = Data(
                bytesNoCopy: memory, count: 64,
                deallocator: .custom { pointer, count in
                    sum = UnsafeRawBufferPointer(start: pointer, count: count).reduce(0) { $0 + Int($1) }
                    pointer.deallocate()
                })
            let secret = try Secret(emptying: &data)
            data = Data()
            #expect(sum == 0)
            #expect(secret.withBytes { $0.allSatisfy { $0 == 7 } && $0.count == 64 })
        }

        @Test func sealedBytesOpenForTheirContextOnly() throws {
            let key = SymmetricKey(size: .bits256)
            let sealed = try secret("0123456789").sealed(key, authenticating: [1])
            #expect(Secret.equal(try Secret.open(sealed, key, authenticating: [1]), try secret("0123456789")))
            #expect(throws: VaultError.self) { _ = try Secret.open(sealed, key, authenticating: [2]) }
            for index in sealed.indices {
                var changed = sealed
                changed[index] ^= 1
                #expect(throws: VaultError.self) { _ = try Secret.open(changed, key, authenticating: [1]) }
            }
        }
    }
}
