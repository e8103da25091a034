// ForgeHome: where a project's forge is, and which repository there is the project's: brokerd's word, from rules under
// seal. What schedulerd says of it is compared, and leads nowhere.

import Exchange
import ForgeCalls
import ForgeModel
import GitHubCalls
import GitLabCalls
import GiteaCalls
import Link
import TrustModel
import TrustWire
import Wire

struct ForgeHome {
    let provider: any ForgeProvider
    let url: String
    let repository: Repository
    /// The rules have the repository's number or its path alone, and the other one is schedulerd's word, or nobody's:
    /// the forge is asked what belongs together before anything is done there.
    let isDoubtful: Bool
    /// The app in whose name we are there; its token comes from the forge.
    let app: App?

    struct App {
        let forge: any AppForge
        let key: InstallationTokens.Key
    }

    init(_ word: ForgeEdge.ReadToken.Reply, _ place: CourierEdge.ForgePlace) throws(Failure) {
        let rules = ProjectRules(
            name: place.project, forge: .init(kind: .init(word.forge), url: word.url),
            repository: .init(id: word.repositoryId, path: word.repositoryPath))
        // What schedulerd does not know, it leaves to the rules, or to the forge.
        let asked = Repository(
            id: place.repository.id == 0 ? word.repositoryId ?? 0 : place.repository.id,
            path: place.repository.path == Repository.unknownPath
                ? word.repositoryPath ?? Repository.unknownPath : place.repository.path)
        guard rules.owns(asked) else {
            throw Failure(.deniedByPolicy, "this is not the repository of '\(place.project)'", place: "repository")
        }
        guard let provider = Self.provider(word.forge, word.url) else {
            throw Failure(.invalid, "the forge's address cannot be used: mend the project's `forge.url`", place: "url")
        }
        (self.provider, url) = (provider, word.url)
        repository = Repository(id: word.repositoryId ?? asked.id, path: word.repositoryPath ?? asked.path)
        isDoubtful = word.repositoryId == nil || word.repositoryPath == nil
        guard let app = word.app else {
            self.app = nil
            return
        }
        guard let forge = provider as? any AppForge else {
            throw Failure(.invalid, "this forge has no apps: mend the project's `forge`", place: "app")
        }
        guard let path = word.repositoryPath, let id = word.repositoryId else {
            throw Failure(.invalid, "beside an app the project's `repository` needs id and path", place: "repository")
        }
        self.app = App(
            forge: forge,
            key: .init(project: place.project, url: word.url, app: app, id: id, path: path))
    }

    private static func provider(_ forge: ForgeKind, _ url: String) -> (any ForgeProvider)? {
        guard let (origin, folder) = place(url) else { return nil }
        switch forge {
        case .github: return github(origin, folder)
        case .gitlab: return GitLabForge(origin: origin, base: folder + "/api/v4")
        case .gitea, .forgejo: return GiteaForge(origin: origin, base: folder + "/api/v1")
        }
    }

    /// A server, and the folder in it, without a slash at its end.
    static func place(_ url: String) -> (Origin, folder: String)? {
        guard let (origin, rest) = Origin.split(url), var folder = String(rest),
            folder.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        else { return nil }
        if folder.hasSuffix("/") { folder.removeLast() }
        return (origin, folder)
    }

    private static func github(_ origin: Origin, _ folder: String) -> GitHubForge? {
        if origin == Origin(.https, host: "github.com") {
            guard let api = GitHubForge.publicOrigin, let archives = GitHubForge.publicArchives else { return nil }
            return GitHubForge(origin: api, archives: [archives])
        }
        // A server of one's own keeps its archives below its own name, or beside it.
        let beside = Origin(origin.scheme, host: "codeload.\(origin.host)", port: origin.port)
        return GitHubForge(
            origin: origin, base: folder + "/api/v3", archives: Set([origin, beside].compactMap { $0 }))
    }
}
