// What jobs do, in the order in which they begin.

struct Courses {
    private let world: World

    init(_ world: World) { self.world = world }

    func next() -> Container.Course {
        switch world.below(100) {
        case ..<70: .succeeds
        case ..<82: .fails
        case ..<92: .dies
        case ..<95: .runsOutOfMemory
        default: .hangs
        }
    }
}
