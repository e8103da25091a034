// Projects whose forge fails rest, each by itself: its deliveries, what it is told and what it is asked for news. When
// courierd or brokerd is back, nobody rests any more.

import Daemon
import Link
import Wire

extension Scheduler {
    func rest(_ project: String, _ failure: Failure) {
        var trouble = forgeTroubles[project] ?? Trouble(longest: settings.forgeRetryLongest, settings)
        let pause = trouble.begin(failure)
        forgeTroubles[project] = trouble
        guard let pause else { return }
        log.warning("a project's deliveries wait", ["project": project, "why": failure.text])
        arm(.forge(project), after: pause) { scheduler in
            scheduler.forgeTroubles[project]?.tryAgain()
            scheduler.goOnWithDeliveries()
            scheduler.postNext(project)
        }
    }

    func courierIsUp() {
        log.info("courierd is there")
        // Whatever was under way, nobody answers it any more.
        for project in lanes.keys { lanes[project]?.end() }
        beginDeliveriesAnew()
        gitlab.courierIsUp()
    }

    /// A sibling is back: nobody waits for a pause that was its absence.
    func beginDeliveriesAnew() {
        for project in forgeTroubles.keys { disarm(.forge(project)) }
        forgeTroubles = [:]
        errands = [:]
        goOnWithDeliveries()
        postAll()
    }
}
