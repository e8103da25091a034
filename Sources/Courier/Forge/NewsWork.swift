// NewsWork: what is new in a repository, for forges that tell nobody: its branches, its tags and the changes that were
// touched last, each list page by page, and none that has not changed since.

import Exchange
package import ForgeModel

/// What was found, and what is known from now on.
package struct News: Equatable, Sendable {
    package let events: [Event]
    package let cursor: NewsCursor
    /// There is more already.
    package let hasMore: Bool
}

/// A change with the time at which something last happened to it.
package struct TouchedChange: Equatable, Sendable {
    package let change: ChangeState
    /// Milliseconds since 1970.
    package let time: UInt64

    package init(_ change: ChangeState, at time: UInt64) { (self.change, self.time) = (change, time) }
}

struct NewsWork: Sendable {
    enum Step {
        case ask(ExchangeRequest)
        case done(News)
    }

    /// Of one list. A repository with more is not for polling.
    private static let mostPages = 20
    /// An answer has room for so many, and for so many bytes of names: strangers choose those.
    private static let mostEvents = 16
    private static let mostBytes = 20_000

    private let repository: Repository
    private let before: NewsCursor
    private let isFirst: Bool
    private var cursor: NewsCursor
    private var list = NewsCursor.List.branches
    private var page = 1
    private var events: [Event] = []
    private var bytes = 0
    private var references: [Reference: Commit] = [:]
    private var changes: [TouchedChange] = []

    init(_ repository: Repository, since cursor: NewsCursor?) {
        self.repository = repository
        before = cursor ?? NewsCursor()
        isFirst = cursor == nil
        self.cursor = before
    }

    func request(at provider: any ForgeProvider) throws(ForgeProblem) -> ExchangeRequest {
        let request =
            switch list {
            case .branches, .tags: try provider.askReferences(repository, areTags: list == .tags, page: page)
            case .changes: try provider.askTouched(repository, page: page)
            }
        guard page == 1, let mark = before.marks[list] else { return request }
        return request.adding(HeaderField("If-None-Match", mark))
    }

    mutating func take(_ answer: ExchangeAnswer, at provider: any ForgeProvider) throws(ForgeProblem) -> Step {
        if answer.status == 304, page == 1, before.marks[list] != nil {
            if list != .changes { keep(areTags: list == .tags) }
            return try next(at: provider)
        }
        try ForgeProblem.check(answer)
        let hasNext: Bool
        switch list {
        case .branches, .tags:
            let found = try provider.readReferences(answer, areTags: list == .tags)
            for (reference, commit) in found.items { references[reference] = commit }
            hasNext = found.hasNext
        case .changes:
            let found = try provider.readTouched(answer, of: repository)
            changes += found.items
            // The newest come first: behind one that was told there is nothing new.
            hasNext = found.hasNext && !isFirst && !found.items.contains { $0.time < before.newest }
        }
        if page == 1 { cursor.marks[list] = hasNext ? nil : Self.mark(of: answer) }
        guard hasNext else { return try next(at: provider) }
        page += 1
        guard page <= Self.mostPages else { throw .tooMuch }
        return .ask(try request(at: provider))
    }

    private static func mark(of answer: ExchangeAnswer) -> String? {
        guard let mark = answer.header("etag"), (1...128).contains(mark.utf8.count),
            mark.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return mark
    }

    /// What was there is there.
    private mutating func keep(areTags: Bool) {
        for (reference, commit) in before.references where reference.isOfTags == areTags {
            references[reference] = commit
        }
    }

    private mutating func next(at provider: any ForgeProvider) throws(ForgeProblem) -> Step {
        page = 1
        switch list {
        case .branches: list = .tags
        case .tags: list = .changes
        case .changes: return .done(try news())
        }
        return .ask(try request(at: provider))
    }

    private mutating func news() throws(ForgeProblem) -> News {
        var hasMore = false
        let moved = references.filter { before.references[$0.key] != $0.value }
        if !isFirst {
            // In one order, whatever order they came in.
            for (reference, commit) in moved.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
                guard tell(.push(push(reference, commit))) else {
                    // Not told, so not known; and asked for again.
                    hasMore = true
                    references[reference] = before.references[reference]
                    cursor.marks[reference.isOfTags ? .tags : .branches] = nil
                    continue
                }
            }
        }
        cursor.references = references
        for touched in changes.reversed() where touched.isNews(after: before) {
            guard !isFirst else { note(touched); continue }
            guard tell(.change(touched.change.event(in: repository))) else {
                hasMore = true
                cursor.marks[.changes] = nil
                break
            }
            note(touched)
        }
        guard cursor.bytes.count <= NewsCursor.most else { throw .tooMuch }
        return News(events: events, cursor: cursor, hasMore: hasMore)
    }

    /// False: there is no room for it.
    private mutating func tell(_ event: Event) -> Bool {
        guard events.isEmpty || events.count < Self.mostEvents && bytes + event.size <= Self.mostBytes else {
            return false
        }
        events.append(event)
        bytes += event.size
        return true
    }

    private func push(_ reference: Reference, _ commit: Commit) -> Push {
        // Who it was, no list says.
        Push(
            repository: repository, reference: reference, before: before.references[reference], after: commit,
            sender: Account(id: 0, name: ""))
    }

    private mutating func note(_ touched: TouchedChange) {
        if touched.time > cursor.newest { (cursor.newest, cursor.told) = (touched.time, []) }
        if touched.time == cursor.newest { cursor.told.insert(touched.mark) }
    }
}

extension TouchedChange {
    fileprivate func isNews(after cursor: NewsCursor) -> Bool {
        time > cursor.newest || time == cursor.newest && !cursor.told.contains(mark)
    }

    /// Which change it is, and in which state: FNV-1a, since nobody gains by two that have the same.
    fileprivate var mark: UInt64 {
        let words =
            "\(change.number) \(change.head.commit?.hex ?? "") \(change.state) \(change.isDraft) \(change.base.branch)"
        return words.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension ChangeState {
    /// As if it had just been told. Who did what to it last no forge says; its author stands for them.
    package func event(in repository: Repository) -> Change {
        let action: Change.Action =
            switch state {
            case .open: .updated
            case .closed: .closed
            case .merged: .merged
            }
        return Change(
            repository: repository, number: number, action: action, head: head.event(in: repository),
            base: base.event(in: repository), author: author, sender: author, isDraft: isDraft)
    }
}

extension ChangeState.Side {
    fileprivate func event(in repository: Repository) -> Change.Side {
        Change.Side(
            repository: self.repository.map { id in
                // A number alone is no path of any forge's; it has no slash.
                id == repository.id ? repository : Repository(id: id, path: path ?? String(id))
            }, branch: branch, commit: commit)
    }
}

extension Reference {
    fileprivate var isOfTags: Bool { if case .tag = self { true } else { false } }

    fileprivate var bytes: [UInt8] {
        switch self {
        case .branch(let name): [0] + name.utf8
        case .tag(let name): [1] + name.utf8
        }
    }
}

extension Event {
    /// Bytes of its names, and something for the rest.
    fileprivate var size: Int {
        switch self {
        case .push(let push): 300 + push.repository.path.utf8.count + push.reference.bytes.count
        case .change(let change):
            500 + change.repository.path.utf8.count + change.author.name.utf8.count + change.sender.name.utf8.count
                + [change.head, change.base].reduce(0) {
                    $0 + $1.branch.utf8.count + ($1.repository?.path.utf8.count ?? 0)
                }
        case .comment, .button, .hint, .other: 0
        }
    }
}
