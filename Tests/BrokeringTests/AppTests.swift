// GitHub's apps: brokerd says for one who it is, and keeps its key.

import Crypto
import CryptoExtras
import Files
import Foundation
import Link
import LinkBlocking
import Orders
import Posix
import Testing
import Wire

extension BrokeringTests {
    @Suite struct AppTests {
        private static func house(_ key: [UInt8]?) throws -> BrokerHouse {
            let house = try Shop.house { $0.app = "Iv23lishop" }
            let client = try house.scheduler()
            // What a project with a token of a person's has, which is not asked for.
            try client.execute(house.admin, try house.admin.set("forge-token", [1, 2, 3], project: "shop"))
            guard let key else { return house }
            try client.execute(house.admin, try house.admin.set("app-key", key, project: "shop"))
            return house
        }

        private static func lent(_ house: BrokerHouse) throws -> (app: String?, value: [UInt8]) {
            let link = try house.courier()
            var reply = try link.call(ForgeEdge.ReadToken(project: "shop", rule: nil))
            guard let file = reply.fds.takeFirst() else { return (nil, []) }
            return (reply.message.app, try Posix.pread(file.raw, maximum: 8192, at: 0))
        }

        private static func decoded(_ part: Substring) throws -> Data {
            let plain = part.replacing("-", with: "+").replacing("_", with: "/")
            return try #require(Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4)))
        }

        @Test func anAppSaysWhoItIs() throws {
            let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            let (app, value) = try Self.lent(try Self.house(Array(key.pemRepresentation.utf8)))
            #expect(app == "Iv23lishop")
            let parts = String(decoding: value, as: UTF8.self).split(separator: ".")
            try #require(parts.count == 3)
            let said = Array("\(parts[0]).\(parts[1])".utf8)
            let signature = _RSA.Signing.RSASignature(rawRepresentation: try Self.decoded(parts[2]))
            #expect(key.publicKey.isValidSignature(signature, for: said, padding: .insecurePKCS1v1_5))
            // The control: of another key's it is none.
            let other = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            #expect(!other.publicKey.isValidSignature(signature, for: said, padding: .insecurePKCS1v1_5))
            struct Header: Decodable { let alg, typ: String }
            let header = try JSONDecoder().decode(Header.self, from: Self.decoded(parts[0]))
            #expect(header.alg == "RS256" && header.typ == "JWT")
            struct Claims: Decodable { let iat, exp: Int64, iss: String }
            let claims = try JSONDecoder().decode(Claims.self, from: Self.decoded(parts[1]))
            let now = Int64(Date().timeIntervalSince1970)
            #expect(claims.iss == "Iv23lishop")
            #expect(abs(now - 60 - claims.iat) < 60 && claims.exp - claims.iat == 600)
        }

        /// Neither the key nor a token that is there beside it goes out.
        @Test func whatIsNoKey() throws {
            let small = try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024)).pemRepresentation
            for value in ["not a key", small] {
                let house = try Self.house(Array(value.utf8))
                #expect(try refusal { _ = try Self.lent(house) } == .invalid)
            }
            let without = try Self.house(nil)
            #expect(try refusal { _ = try Self.lent(without) } == .notFound)
        }

        @Test func noRuleGivesAJobTheKey() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            func apply(_ name: String) throws {
                let policy = try Shop.policy {
                    $0.secrets.append(PolicySecret(name: name, listed: false, branches: [], tags: [], trust: .trusted))
                    $0.secrets.sort { $0.name < $1.name }
                }
                try client.execute(house.admin, try house.admin.apply(policy))
            }
            #expect(try refusal { try apply("app-key") } == .invalid)
            try apply("app-keys")
        }

        /// An app has one webhook, and one key of it, for all of its repositories.
        @Test func oneKeyForTwoProjects() throws {
            let house = try Shop.house()
            let client = try house.scheduler()
            let other = try Shop.policy {
                $0.project = "aft"
                ($0.repositoryId, $0.repositoryPath) = (4712, "acme/aft")
                $0.jobs = []
            }
            try client.execute(house.admin, try house.admin.set("webhook-key", Shop.key, project: "aft"))
            try client.execute(house.admin, try house.admin.apply(other))
            var hook = Hook.push()
            hook.project = ""
            let link = try house.scheduler()
            #expect(try link.deliver(hook).project == "shop")
            hook.body = hook.body.replacing("4711", with: "4712")
            #expect(try link.deliver(hook).project == "aft")
            hook.project = "shop"
            #expect(try refusal { _ = try link.deliver(hook) } == .unauthorized)
            (hook.project, hook.body) = ("", hook.body.replacing("4712", with: "4713"))
            #expect(try refusal { _ = try link.deliver(hook) } == .unauthorized)
        }

        /// Whoever may write the rules sends no key and no token to a server or to a repository of his own choice.
        @Test func whatWasGivenForOneForgeGoesToNoOther() throws {
            let house = try Self.house([1, 2, 3])
            let client = try house.scheduler()
            func apply(_ change: (inout Policy) -> Void) throws {
                let policy = try Shop.policy {
                    $0.app = "Iv23lishop"
                    change(&$0)
                }
                try client.execute(house.admin, try house.admin.apply(policy))
            }
            let changes: [(inout Policy) -> Void] = [
                { $0.url = "https://evil.example" }, { $0.app = nil }, { $0.app = "Iv23liother" },
                { $0.repositoryId = 4712 }, { $0.repositoryPath = "acme/other" }, { $0.forge = .gitea },
            ]
            for (index, change) in changes.enumerated() {
                #expect(try refusal { try apply(change) } == .deniedByPolicy, "change \(index)")
            }
            // The controls: other rules of the same place, and another place without what was given for this one.
            try apply { $0.defaultBranch = "trunk" }
            for name in ["app-key", "forge-token", "webhook-key"] {
                #expect(try refusal { try apply { $0.url = "https://evil.example" } } == .deniedByPolicy, "\(name)")
                try client.execute(house.admin, try house.admin.seal(.removeSecret(.init(project: "shop", name: name))))
            }
            try apply { $0.url = "https://other.example" }
        }

        /// Nor by way of no rules at all.
        @Test func itGoesWithTheRules() throws {
            let house = try Self.house([1, 2, 3])
            let client = try house.scheduler()
            try client.execute(house.admin, try house.admin.seal(.removeProject(.init(project: "shop"))))
            #expect(try client.secrets(house.admin, project: "shop") == ["deploy", "lint"])
            let policy = try Shop.policy { $0.url = "https://evil.example" }
            try client.execute(house.admin, try house.admin.apply(policy))
            let link = try house.courier()
            #expect(try refusal { _ = try link.call(ForgeEdge.ReadToken(project: "shop", rule: nil)) } == .notFound)
        }

        /// GitHub sends buttons to the app that has drawn them alone; what says otherwise is nothing.
        @Test func aButtonOfOurAppAlone() throws {
            let house = try Shop.house { $0.app = "Iv23lishop" }
            let link = try house.scheduler()
            func event(_ app: String) throws -> ForgeEvent {
                let check = #"{"head_sha": "\#(Shop.head)", "external_id": "17 7 main", "app": \#(app)}"#
                let body =
                    #"{"action": "requested_action", "requested_action": {"identifier": "approve"}, "check_run": "#
                    + check + ", " + Hook.repository + "}"
                return try link.deliver(Hook(event: "check_run", body: body)).event
            }
            guard case .approval(let wish) = try event(#"{"id": 3, "client_id": "Iv23lishop"}"#) else {
                Issue.record("our own is none")
                return
            }
            #expect(wish.number == 7 && wish.branch == "main" && wish.head == Shop.head)
            for other in [#"{"id": 3, "client_id": "Iv23liother"}"#, #"{"id": 3}"#] {
                guard case .idle = try event(other) else {
                    Issue.record("\(other)")
                    return
                }
            }
        }
    }
}
