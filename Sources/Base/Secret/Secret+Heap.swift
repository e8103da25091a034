// What passes by way of ordinary memory before it is a Secret, or after.
import CWipe

extension Secret {
    /// That freed memory is overwritten in this process: in whose log lines and frames a secret may stand. Called at the start, since an
    /// allocator that was put in front from outside (LD_PRELOAD) would undo it without a word.
    package static func requireWipedHeap() throws(SecretError) {
        if bh_free_wipes() != 1 { throw .heapIsNotWiped }
    }
}
