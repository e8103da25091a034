// The store's errors as error frames.

import Link
import LogStore
import Wire

extension Failure {
    init(storing error: any Error) {
        guard let error = error as? StoreError else {
            self.init(.internal, "\(error)")
            return
        }
        switch error {
        case .full: self.init(.storageFull, "no space left in relayd's store")
        case .notFound: self.init(.notFound, "no such log or source")
        case .nothing(let why): self.init(.notFound, why)
        case .exists: self.init(.conflict, "there already")
        case .conflict(let why): self.init(.conflict, why)
        case .tooLarge: self.init(.tooLarge, "more bytes arrived than were announced")
        case .incomplete: self.init(.incomplete, "fewer bytes arrived than were announced")
        case .unfinished: self.init(.limitReached, "there is more than one call removes; call again")
        case .system(let error): self.init(.internal, "\(error)")
        }
    }

    static func incompleteUpload(_ source: IncomingSource) -> Failure {
        Failure(.incomplete, "\(source.received) of \(source.size) bytes arrived")
    }
}
