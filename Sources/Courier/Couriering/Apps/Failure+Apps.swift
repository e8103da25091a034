// Why a GitHub App was not let in, as somebody who sets one up has to be told it.

import Errands
import ForgeCalls
import Link
import Wire

extension Failure {
    init(ofApp failure: ErrandFailure, _ place: CourierEdge.ForgePlace) {
        let page = "see docs/howto/github-app.md"
        switch failure {
        case .forge(.unauthorized):
            self.init(
                .unauthorized,
                "GitHub does not take the app's key: `forge.app` and the secret app-key do not belong together, or a "
                    + "clock is wrong; \(page)", place: "app-key")
        case .forge(.missing):
            self.init(
                .notFound,
                "the app is not installed on \(place.repository.path): install it there, on the app's page; \(page)",
                place: "app")
        case .forge(.forbidden):
            self.init(.unauthorized, "the app's installation is suspended, or may not have a token", place: "app")
        case .forge(.refused(status: 422)):
            self.init(
                .unauthorized,
                "the app lacks a permission, or its owner has not accepted a new one; \(page)", place: "app")
        default: self.init(failure, place, missing: "", archive: nil)
        }
    }
}
