// The process graph: the walls as they are drawn. What is tested here is that nobody added a door.

import BulkheadCLI
import Testing

@Suite struct ProcessGraphTests {
    @Test func theEdgesAreTheDesignedOnes() {
        let edges = Edge.allCases.map { "\($0.client.rawValue) -> \($0.server.rawValue): \($0.rawValue)" }
        #expect(
            Set(edges) == [
                "apid -> schedulerd: scheduler", "schedulerd -> spawnerd: spawner", "spawnerd -> relayd: stream",
                "schedulerd -> relayd: relay", "schedulerd -> brokerd: broker", "relayd -> brokerd: mask",
                "schedulerd -> courierd: courier", "courierd -> brokerd: forge",
            ])
    }

    @Test func everyUserAndGroupIsItsOwn() {
        let users = Compartment.allCases.map(\.user.number)
        let groups = Edge.allCases.map(\.group.number)
        #expect(Set(users + groups).count == users.count + groups.count)
        #expect(!users.contains(0))
        #expect(Set(Compartment.allCases.map(\.user.name)).count == users.count)
    }
}
