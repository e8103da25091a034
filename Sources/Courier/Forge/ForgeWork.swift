// ForgeWork: one call, from its first request to its result. It says what to send next; who sends it, with which token
// and how often, is decided elsewhere. After a lost answer it is begun anew: it looks before it writes.

package import Exchange
package import ForgeModel

package struct ForgeWork: Sendable {
    package enum Step: Equatable, Sendable {
        case ask(ExchangeRequest)
        case done(ForgeResult)
    }

    /// Pages of one list. A change has hundreds of comments at most, and a list without an end is a forge's trick.
    private static let mostPages = 40

    private enum Position {
        /// The repository is asked for before anything else.
        case doubting(Repository)
        case single
        /// Who we are is asked for, for a comment.
        case introducing
        case searching(page: Int)
        /// `isKnown`: somebody remembered the number, and the comment may be gone.
        case writing(isKnown: Bool)
        case listing(page: Int)
        case following(NewsWork)
        case surveying(ForgeSurvey)
        /// Where the app is installed is known.
        case installed(Installation)
        /// The files are known; whether they are those of the right commit is asked.
        case confirming(ChangedFiles)
    }

    package private(set) var call: ForgeCall
    private let provider: any ForgeProvider
    private var position = Position.single
    private var paths: [String] = []

    /// - Parameter repository: what somebody says the call's repository is: its number and its path. One of them comes
    ///   from elsewhere, or is not known, and the call may go by it: the forge is asked first what belongs together.
    package init(_ call: ForgeCall, at provider: any ForgeProvider, doubting repository: Repository? = nil) {
        self.call = call
        self.provider = provider
        // A survey looks for itself what belongs together.
        if case .survey = call { return }
        if let repository { position = .doubting(repository) }
    }

    /// Whether the body of the next answer goes into a sink; not of one that says which repository it is.
    package var wantsSink: Bool {
        if case .doubting = position { return false }
        return if case .archive = call { true } else { false }
    }

    /// The first request.
    package mutating func begin() throws(ForgeProblem) -> ExchangeRequest {
        if case .doubting(let repository) = position { return try provider.askRepository(repository) }
        return try start()
    }

    private mutating func start() throws(ForgeProblem) -> ExchangeRequest {
        switch call {
        case .account: return try provider.askAccount()
        case .repository(let repository): return try provider.askRepository(repository)
        case .postStatus(let repository, let status): return try provider.post(status, in: repository)
        case .keepCheck(let repository, let check): return try app().askChecks(repository, check)
        case .installationToken(let repository): return try app().askInstallation(repository)
        case .keepComment(let repository, let comment):
            try Self.check(comment)
            if let id = comment.id {
                position = .writing(isKnown: true)
                return try provider.write(comment, over: id, in: repository)
            }
            if comment.author == nil {
                position = .introducing
                return try provider.askAccount()
            }
            return try search(repository, comment, page: 1)
        case .permission(let repository, let account): return try provider.askPermission(repository, account)
        case .change(let repository, let number): return try provider.askChange(repository, number)
        case .changedFiles(let repository, let number, _): return try list(repository, number, page: 1)
        case .comparison(let repository, let base, let head):
            return try provider.askComparison(repository, base, head)
        case .branch(let repository, let name): return try provider.askBranch(repository, name)
        case .news(let repository, let cursor):
            let news = NewsWork(repository, since: cursor)
            position = .following(news)
            return try news.request(at: provider)
        case .file(let repository, let path, let commit): return try provider.askFile(repository, path, commit)
        case .archive(let repository, let commit): return try provider.askArchive(repository, commit)
        case .survey(let repository, let branch):
            let survey = ForgeSurvey(repository, branch: branch)
            position = .surveying(survey)
            guard let request = try survey.next(provider) else { throw .foreign }
            return request
        }
    }

    /// What follows from an answer which is not to be asked for again.
    package mutating func take(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Step {
        if case .doubting(let repository) = position {
            let found = try provider.readRepository(try good(answer))
            guard repository.id == 0 || found.id == repository.id,
                repository.path == Repository.unknownPath || found.isAt(repository.path)
            else { throw .foreign }
            position = .single
            call = call.of(found)
            return .ask(try start())
        }
        switch call {
        case .account: return .done(.account(try provider.readAccount(try good(answer))))
        case .repository: return .done(.repository(try provider.readRepository(try good(answer))))
        case .postStatus(_, let status):
            try provider.checkPosted(answer, status)
            return .done(.posted)
        case .keepCheck(let repository, let check): return try takeCheck(answer, repository, check)
        case .installationToken(let repository): return try takeEntry(answer, repository)
        case .keepComment(let repository, let comment): return try takeComment(answer, repository, comment)
        case .permission(_, let account):
            if answer.status != 404 { try ForgeProblem.check(answer) }
            return .done(.permission(try provider.readPermission(answer, of: account)))
        case .change(let repository, let number):
            return .done(.change(try provider.readChange(try good(answer), number, of: repository)))
        case .changedFiles(let repository, let number, let head):
            return try takeFiles(answer, repository, number, head)
        case .comparison(_, let base, _):
            return .done(.changedFiles(try provider.readComparison(try good(answer), from: base)))
        case .branch(_, let name): return .done(.commit(try provider.readBranch(try good(answer), name)))
        case .news: return try takeNews(answer)
        case .file(_, _, let commit): return .done(.file(try provider.readFile(try good(answer), commit)))
        case .archive:
            // The one status whose body goes to a sink.
            guard try good(answer).status == 200 else { throw .refused(status: answer.status) }
            return .done(.archive)
        case .survey: return try takeSurvey(answer)
        }
    }

    private mutating func takeSurvey(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Step {
        guard case .surveying(var survey) = position else { throw .foreign }
        try survey.take(answer, provider)
        position = .surveying(survey)
        guard let request = try survey.next(provider) else {
            return .done(.surveyed(survey.lacks.map { FoundLack(lack: $0, scope: provider.scope(for: $0)) }))
        }
        return .ask(request)
    }

    private mutating func takeNews(_ answer: ExchangeAnswer) throws(ForgeProblem) -> Step {
        guard case .following(var news) = position else { throw .foreign }
        switch try news.take(answer, at: provider) {
        case .ask(let request):
            position = .following(news)
            return .ask(request)
        case .done(let found): return .done(.news(found))
        }
    }

    private func good(_ answer: ExchangeAnswer) throws(ForgeProblem) -> ExchangeAnswer {
        try ForgeProblem.check(answer)
        return answer
    }

    // MARK: apps

    private func app() throws(ForgeProblem) -> any AppForge {
        guard let app = provider as? any AppForge else { throw .unsupported }
        return app
    }

    private mutating func takeEntry(
        _ answer: ExchangeAnswer, _ repository: Repository
    ) throws(ForgeProblem) -> Step {
        let app = try app()
        if case .installed(let installation) = position {
            return .done(.installationToken(installation, try app.readInstallationToken(try good(answer))))
        }
        let installation = try app.readInstallation(try good(answer))
        position = .installed(installation)
        return .ask(try app.askInstallationToken(repository, installation))
    }

    private mutating func takeCheck(
        _ answer: ExchangeAnswer, _ repository: Repository, _ check: CheckRun
    ) throws(ForgeProblem) -> Step {
        let (app, answer) = (try app(), try good(answer))
        if case .writing = position { return .done(.posted) }
        switch app.step(for: check, among: try app.readChecks(answer)) {
        case .nothing: return .done(.posted)
        case .write(let id):
            position = .writing(isKnown: id != nil)
            return .ask(try app.write(check, over: id, in: repository))
        }
    }

    // MARK: comments

    private static func check(_ comment: RollingComment) throws(ForgeProblem) {
        let name = comment.name.utf8
        guard (1...64).contains(name.count),
            name.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
        else { throw .unusable("name") }
        // The shortest limit of the three forges is GitHub's.
        guard comment.text.unicodeScalars.count <= 65_536 else { throw .unusable("body") }
    }

    private mutating func search(
        _ repository: Repository, _ comment: RollingComment, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        guard page <= Self.mostPages else { throw .tooMuch }
        position = .searching(page: page)
        return try provider.askComments(repository, change: comment.change, page: page)
    }

    private mutating func takeComment(
        _ answer: ExchangeAnswer, _ repository: Repository, _ comment: RollingComment
    ) throws(ForgeProblem) -> Step {
        switch position {
        case .introducing:
            let comment = comment.by(try provider.readAccount(try good(answer)))
            call = .keepComment(repository, comment)
            return .ask(try search(repository, comment, page: 1))
        case .searching(let page):
            let found = try provider.readComments(try good(answer))
            let mine = found.items.first(where: comment.isThis)
            if mine == nil && found.hasNext { return .ask(try search(repository, comment, page: page + 1)) }
            position = .writing(isKnown: false)
            return .ask(try provider.write(comment, over: mine?.id, in: repository))
        case .writing(let isKnown):
            if isKnown && answer.status == 404 { return .ask(try search(repository, comment, page: 1)) }
            return .done(.comment(try Fields(try good(answer)).number("id")))
        case .doubting, .single, .listing, .following, .confirming, .surveying, .installed: throw .foreign
        }
    }

    // MARK: files

    private mutating func list(
        _ repository: Repository, _ number: UInt64, page: Int
    ) throws(ForgeProblem) -> ExchangeRequest {
        position = .listing(page: page)
        return try provider.askFiles(repository, change: number, page: page)
    }

    private mutating func takeFiles(
        _ answer: ExchangeAnswer, _ repository: Repository, _ number: UInt64, _ head: Commit?
    ) throws(ForgeProblem) -> Step {
        if case .confirming(let files) = position {
            let now = try provider.readChange(try good(answer), number, of: repository)
            return .done(
                .changedFiles(
                    ChangedFiles(paths: files.paths, isComplete: files.isComplete && now.head.commit == head)))
        }
        guard case .listing(let page) = position else { throw .foreign }
        let found = try provider.readFiles(try good(answer))
        // Of one that was renamed, both.
        for names in found.items { paths += names }
        let isCut = paths.count >= provider.mostFiles || page >= Self.mostPages
        if found.hasNext && !isCut { return .ask(try list(repository, number, page: page + 1)) }
        let files = ChangedFiles(paths: paths, isComplete: !found.hasNext && !isCut)
        if head == nil { return .done(.changedFiles(files)) }
        position = .confirming(files)
        return .ask(try provider.askChange(repository, number))
    }
}

extension Repository {
    /// Forges find `Harbour/Ship` by `harbour/ship`, too; what they call it is the first.
    fileprivate func isAt(_ other: String) -> Bool {
        func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
        return path.utf8.elementsEqual(other.utf8) { folded($0) == folded($1) }
    }
}
