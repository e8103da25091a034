// What schedulerd waits for by the clock. One timer for each: arming it again replaces it.

import Store
import Wire

enum TimerKey: Hashable {
    /// The end of a cancellation's grace.
    case cancel(UInt64)
    /// The end of a job's timeout and margin.
    case overdue(UInt64)
    /// RunJob is said again.
    case tell(UInt64)
    /// The end of the time in which a runner must say hello.
    case ready(Bytes16)
    /// A container has ended: the end of the time for the last records.
    case drain(Bytes16)
    case create(Bytes16)
    /// What a runner has read is wiped.
    case wipe(Bytes16)
    /// By grant.
    case discard(Bytes16)
    /// brokerd is asked again for the grant of a job.
    case grant(UInt64)
    case attach(Bytes16)
    case remove(Bytes16)
    /// New containers may be asked for again.
    case engine
    /// Grants may be prepared again.
    case prepare
    /// Grants may be asked for again.
    case release
    case reconcile
    case describe
    case list
    case settle
    case watchEvents
    case watchExits
    case attachAll
    case sweep
    /// The end of a pool's cooldown.
    case cooldown
    /// The pool is filled again.
    case refill
    /// Runners of a pool may be made in advance again.
    case pool(Pool)
    /// A device may be asked for again.
    case device(String)
    /// The end of somebody's time in the queue.
    case expiry
    case retention
    /// A forge is asked again where a delivery's change is based.
    case base(UInt64)
    /// More deliveries may be taken up.
    case deliveries
    /// A project's forge may be asked again.
    case forge(String)
    /// A project's forge is asked what is new.
    case poll(String)
    /// GitLab is asked for jobs again.
    case runner(String)
    /// The removal of a project does not wait any longer for GitLab.
    case farewell(String)
    /// How much room there is may have changed.
    case room
    /// A job of GitLab's is prepared again, or told again.
    case prepareJob(String, UInt64)
    case report(String, UInt64)
    /// The comment below a change of a project is written anew.
    case comment(String, UInt64)
    /// It is looked at anew whether what is kept for somebody is kept with reason.
    case keep
    /// The rest of a cascade is tried again.
    case cascade
}
