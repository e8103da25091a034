// Visit: one request of schedulerd's on its way. brokerd says where to and gives the token; an errand is run there;
// then the token is gone, whatever came of it.

import Errands
import Exchange
import ForgeCalls
import ForgeModel
import Link
import Outbound
import Posix
import RunnerErrands
import Secret
import Wire

final class Visit {
    typealias Completion = (Result<ForgeResult, Failure>) -> Void

    /// What every visit is made with.
    struct Means {
        let loop: PollLoop
        let outbound: Outbound
        let broker: LinkClient<ForgeEdge>
        let tokens: InstallationTokens
    }

    /// What is to be done there.
    struct Purpose {
        /// The call, of the project's repository.
        let call: (ForgeHome) throws(Failure) -> ForgeCall
        var limits = TransferLimits.api
        var policy = RetryPolicy()
        /// For everything, brokerd's answer included.
        var time: Duration
        /// What is not there if the forge says so: `file 'ci/job.yaml'`.
        var missing = ""
        /// Where an archive goes.
        var archive: ArchiveFile?
        /// A runner that is to be registered or to ask for jobs: brokerd knows whether it may.
        var rule: RunnerRule?
        /// Hears where it leads.
        var noting: ((ForgeHome) -> Void)?
    }

    /// The longest token of a forge.
    private static let tokenBytes = 8192
    private static let brokerTime = Duration.seconds(30)
    /// A blip is sat through; schedulerd asks again after anything longer, and meanwhile says why something waits.
    private static let patience = Duration.seconds(2)

    private let means: Means
    private let place: CourierEdge.ForgePlace
    private let purpose: Purpose
    private var completion: Completion?
    private var errand: Errand?
    private var timer: TimerID?

    var isOfArchive: Bool { purpose.archive != nil }

    init(_ means: Means, _ place: CourierEdge.ForgePlace, _ purpose: Purpose) {
        self.means = means
        self.place = place
        self.purpose = purpose
    }

    deinit { if let timer { means.loop.cancel(timer) } }

    /// Begins. `completion` is called once; until then somebody has to keep this object.
    func start(_ completion: @escaping Completion) {
        self.completion = completion
        timer = means.loop.after(purpose.time) { [weak self] in
            self?.end(.failure(Failure(.deadlineExceeded, "the forge took too long", place: "forge")))
        }
        ask()
    }

    private func ask() {
        means.broker.call(ForgeEdge.ReadToken(project: place.project, rule: purpose.rule), deadline: Self.brokerTime) {
            [weak self] result, fds in
            let raws = fds.raws
            if let self, self.completion != nil { self.take(result, raws) }
            // They are open as long as this lives.
            _ = consume fds
        }
    }

    private func take(_ result: Result<ForgeEdge.ReadToken.Reply, Failure>, _ raws: [Int32]) {
        do throws(Failure) {
            let home = try ForgeHome(try result.get(), place)
            let call = try purpose.call(home)
            purpose.noting?(home)
            let token = try Self.token(raws)
            guard let app = home.app else { return run(call, at: home, home.provider, token) }
            guard let known = means.tokens[app.key] else { return askToken(call, token, home, app) }
            try run(call, at: home, app, with: known) { [weak self] in
                // It was taken back before its time.
                self?.means.tokens.forget(known, app.key)
                self?.ask()
            }
        } catch {
            end(.failure(error))
        }
    }

    /// For the app's JSON Web Token one of its installation.
    private func askToken(_ call: ForgeCall, _ token: consuming Secret, _ home: ForgeHome, _ app: ForgeHome.App) {
        let errand = Errand(
            .installationToken(app.key.repository), at: app.forge, token: token, by: means.outbound, on: means.loop,
            limits: .api, policy: purpose.policy, patience: Self.patience)
        self.errand = errand
        errand.start { [weak self] result in
            guard let self else { return }
            do throws(Failure) {
                let given = try result.mapError({ Failure(ofApp: $0, self.place) }).get()
                guard case .installationToken(let installation, let text) = given else {
                    throw Failure(.internal, "another result than that of the question", place: "app")
                }
                let token = try Failure.secret { () throws(SecretError) in
                    try InstallationToken(
                        installation, text, until: means.loop.milliseconds + InstallationTokens.lifetime)
                }
                means.tokens.keep(token, app.key)
                try run(call, at: home, app, with: token)
            } catch {
                end(.failure(error))
            }
        }
    }

    private func run(
        _ call: ForgeCall, at home: ForgeHome, _ app: ForgeHome.App, with token: InstallationToken,
        orElse refused: (() -> Void)? = nil
    ) throws(Failure) {
        let copy = try Failure.secret { () throws(SecretError) in try token.copy() }
        run(call, at: home, app.forge.asApp(token.installation), copy, orElse: refused)
    }

    private func run(
        _ call: ForgeCall, at home: ForgeHome, _ provider: any ForgeProvider, _ token: consuming Secret,
        orElse refused: (() -> Void)? = nil
    ) {
        let errand = Errand(
            call, at: provider, token: token, by: means.outbound, on: means.loop, limits: purpose.limits,
            policy: purpose.policy, patience: Self.patience, doubting: home.isDoubtful ? home.repository : nil,
            into: purpose.archive.map { archive in { archive.begin() } })
        self.errand = errand
        errand.start { [weak self] result in
            guard let self else { return }
            if case .failure(.forge(.unauthorized)) = result, let refused { return refused() }
            end(result.mapError { Failure($0, place, missing: purpose.missing, archive: purpose.archive) })
        }
    }

    private static func token(_ raws: [Int32]) throws(Failure) -> Secret {
        guard let raw = raws.first else { throw Failure(.wrongFds, "no token", place: "token") }
        return try Failure.secret { () throws(SecretError) in try Secret(contentsOf: raw, limit: tokenBytes) }
    }

    private func end(_ result: Result<ForgeResult, Failure>) {
        // What is still on its way is cancelled, and its token wiped.
        errand = nil
        if let timer { means.loop.cancel(timer) }
        timer = nil
        let completion = completion
        self.completion = nil
        completion?(result)
    }
}
