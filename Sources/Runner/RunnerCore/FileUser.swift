// Files made by the runner for the user of a step. Only in the eyes of file systems does it become that user: as
// anybody else it could be signalled.

import CSpawn
import Glibc
package import Processes

package enum FileUser {
    /// Does it as `user`, nil being the runner's own. Blocking, in this thread.
    package static func perform<Result: ~Copyable, Problem: Error>(
        as user: ChildUser?, _ body: () throws(Problem) -> Result
    ) throws(Problem) -> Result {
        guard let user else { return try body() }
        guard bh_set_file_user(user.uid, user.gid) == 0 else { leave() }
        defer {
            if bh_set_file_user(geteuid(), getegid()) != 0 { leave() }
        }
        return try body()
    }

    /// A runner that does not know who it is does nothing more.
    private static func leave() -> Never { exit(71) }
}
