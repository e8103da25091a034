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
            struct Header: Decodable, Equatable { let alg, typ: String }
            #expect(try JSONDecoder().decode(Header.self, from: Self.decoded(parts[0])).alg == "RS256")
            struct Claims: Decodable { let iat, exp: Int64, iss: String }
            let claims = try JSONDecoder().decode(Claims.self, from: Self.decoded(parts[1]))
            let now = Int64(Date().timeIntervalSince1970)
            #expect(claims.iss == "Iv23lishop")
            #expect(abs(now - 60 - claims.iat) < 60 && claims.exp - claims.iat == 600)
        }

        /// Neither the key nor a token that is there beside it goes out.
        @Test func whatIsNoKey() throws {
            let small = "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n"
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
    }
}
