// The files that a job leaves: from ArtifactPacker into records, as relayd makes room.

import Files
import Posix
import Wire

extension Runner {
    func startPacking(_ index: Int) {
        guard let spec = machine.spec else { return }
        do throws(PosixError) {
            let source = try asOwnerOfSource(spec) { () throws(PosixError) in
                try Posix.open(directories.source, [.readOnly, .directory, .noFollow])
            }
            packer = ArtifactPacker(spec.artifacts[index], source: source)
            packed = UInt16(index)
            (packedBytes, packedHash) = (0, Digest())
            packSoon()
        } catch {
            perform(
                machine.artifactPacked(
                    files: 0, problem: "the source directory cannot be opened: \(error)", seal: nil))
        }
    }

    func stopPacking() {
        packer = nil
    }

    /// One piece in each pass of the loop: others get their turn.
    func packSoon() {
        guard packer != nil, !isPackingDue else { return }
        isPackingDue = true
        loop.soon { [weak self] in
            self?.isPackingDue = false
            self?.packSome()
        }
    }

    private func packSome() {
        // Where there is no room, the next acknowledgement comes back to this.
        guard let packer, let spec = machine.spec, !records.isFull else { return }
        let most = min(StepOutput.largestRecord, records.room)
        guard let piece = asOwnerOfSource(spec, { packer.next(most: most) }) else {
            self.packer = nil
            let files = LeftFiles(rule: packed, size: packedBytes, sha256: packedHash.finish())
            let seal = sealKey?.seal(files)
            return perform(
                machine.artifactPacked(files: packer.files, problem: packer.problem.text, seal: seal))
        }
        if !piece.isEmpty {
            packedBytes += UInt64(piece.count)
            packedHash.update(piece[...])
            records.append(.artifact(RunnerEdge.ArtifactChunk(rule: packed, bytes: piece)))
            pump()
        }
        packSoon()
    }

    private func asOwnerOfSource<Result: ~Copyable, Problem: Error>(
        _ spec: JobSpec, _ body: () throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try FileUser.perform(as: directories.ownerOfSource(spec, users), body)
    }
}
