// Users, roles and tokens: who may give which order, and what a token is worth, now and afterwards.

import Link
import LinkBlocking
import Orders
import Posix
import Secret
import Testing
import Vault
import Wire

extension BrokeringTests {
    @Suite struct UserTests {
        private let house: BrokerHouse
        private let client: BlockingClient<BrokerEdge>
        private var admin: Person { house.admin }

        init() throws {
            house = try BrokerHouse.running(["npm": [1, 2, 3]])
            client = try house.scheduler()
        }

        /// A user with a key, roles, and a token that is not narrowed.
        @discardableResult
        private func user(_ name: String, everywhere: Access = .metrics, _ roles: [String: Access] = [:]) throws
            -> Person
        {
            let person = Person(name: name, broker: admin.key.broker)
            try order(.setUser(.init(name: name, key: person.key.publicKey, everywhere: everywhere)))
            for (project, access) in roles {
                try order(.setRole(.init(user: name, project: project, access: access)))
            }
            try order(token(person))
            return person
        }

        private func token(
            _ person: Person, _ name: String = "laptop", _ access: Access = .admin, projects: [String] = [],
            expires: Int64 = 0
        ) -> OrderBody {
            .setToken(
                .init(
                    token: .init(
                        user: person.name, name: name, access: access, projects: projects, expiresMs: expires),
                    hash: Hashes.token(person.token)))
        }

        /// Another token of the same person.
        private func another(_ person: Person) -> Person { Person(sharing: person) }

        private func order(_ body: OrderBody, value: [UInt8] = [], by person: Person? = nil) throws {
            let person = person ?? admin
            try client.execute(person, try person.seal(body, value: value))
        }

        private func refused(_ body: OrderBody, value: [UInt8] = [], by person: Person) throws -> ErrorCode? {
            try refusal { try order(body, value: value, by: person) }
        }

        private func rights(_ person: Person) throws -> BrokerEdge.Operator? {
            guard case .operator(let rights) = try client.caller(person.token) else { return nil }
            return rights
        }

        @Test func everyOrderAsksForItsRole() throws {
            let people = try [
                "read": user("rita", ["default": .read]), "write": user("will", ["default": .write]),
                "admin": user("ada", ["default": .admin]), "none": user("nora", ["other": .admin]),
                "everywhere": user("eva", everywhere: .write), "house": user("hugo", everywhere: .admin),
            ]
            let secret = OrderBody.setSecret(.init(project: "default", name: "key"))
            let role = OrderBody.setRole(.init(user: "rita", project: "default", access: .read))
            let newUser = OrderBody.setUser(.init(name: "zoe", key: nil, everywhere: .metrics))
            let expected: [String: (secret: ErrorCode?, role: ErrorCode?, user: ErrorCode?, submit: ErrorCode?)] = [
                "read": (.deniedByPolicy, .deniedByPolicy, .deniedByPolicy, .deniedByPolicy),
                "write": (.deniedByPolicy, .deniedByPolicy, .deniedByPolicy, nil),
                "admin": (nil, nil, .deniedByPolicy, nil),
                "none": (.notFound, .notFound, .deniedByPolicy, .notFound),
                "everywhere": (.deniedByPolicy, .deniedByPolicy, .deniedByPolicy, nil),
                "house": (nil, nil, nil, nil),
            ]
            for (name, codes) in expected {
                let person = try #require(people[name])
                #expect(try refused(secret, value: [1], by: person) == codes.secret, "\(name)")
                #expect(try refused(role, by: person) == codes.role, "\(name)")
                #expect(try refused(newUser, by: person) == codes.user, "\(name)")
                let wish = Wish(secrets: ["npm"])
                #expect(try refusal { _ = try client.ticket(person, wish) } == codes.submit, "\(name)")
                // Without an order, and so without trust, it is the same.
                let plain = Wish().vouch(person, order: nil)
                #expect(try refusal { _ = try client.call(plain) } == codes.submit, "\(name)")
            }
            #expect(try refusal { _ = try client.secrets(try #require(people["none"])) } == .notFound)
            #expect(try client.secrets(try #require(people["read"])).contains("npm"))
        }

        /// brokerd says it at each request: nothing is kept that could be out of date.
        @Test func whatATokenMayDoIsWhatItsUserMayNow() throws {
            let alice = try user("alice", ["shop": .write])
            #expect(try rights(alice)?.projects == [.init(project: "shop", access: .write)])
            try order(.setRole(.init(user: "alice", project: "shop", access: .read)))
            try order(.setRole(.init(user: "alice", project: "web", access: .admin)))
            #expect(
                try rights(alice)?.projects == [
                    .init(project: "shop", access: .read), .init(project: "web", access: .admin),
                ])
            try order(.setRole(.init(user: "alice", project: "shop", access: .metrics)))
            #expect(try rights(alice)?.projects == [.init(project: "web", access: .admin)])
            try order(.setUser(.init(name: "alice", key: nil, everywhere: .read)))
            #expect(try rights(alice)?.everywhere == .read && rights(alice)?.projects.count == 1)
        }

        @Test func aTokenIsNoMoreThanItsScope() throws {
            let alice = try user("alice", ["shop": .admin, "web": .write])
            let narrow = another(alice)
            try order(token(narrow, "ci", .write, projects: ["shop"]), by: alice)
            #expect(
                try rights(narrow)
                    == .init(name: "alice", everywhere: .metrics, projects: [.init(project: "shop", access: .write)]))
            // With her key, too, and no way leads from it to more.
            let secret = OrderBody.setSecret(.init(project: "shop", name: "key"))
            #expect(try refused(secret, value: [1], by: narrow) == .deniedByPolicy)
            #expect(try refused(token(another(alice), "more"), by: narrow) == .deniedByPolicy)
            #expect(try refused(.removeToken(.init(user: "alice", name: "laptop")), by: narrow) == .deniedByPolicy)
            try order(secret, value: [1], by: alice)  // the control
            // An admin of the house is none by a token that is narrowed.
            let scraper = another(admin)
            try order(token(scraper, "scraper", .metrics))
            #expect(try rights(scraper) == .init(name: "admin", everywhere: .metrics, projects: []))
            let ofShop = another(admin)
            try order(token(ofShop, "of-shop", .admin, projects: ["shop"]))
            #expect(try refused(.removeUser(.init(name: "alice")), by: ofShop) == .deniedByPolicy)
        }

        /// S5: a person's token after its end.
        @Test func aTokenEnds() throws {
            let alice = try user("alice", ["shop": .write])
            let soon = another(alice)
            #expect(try refused(token(soon, "past", expires: Posix.wallMilliseconds() - 1), by: alice) == .invalid)
            try order(token(soon, "soon", expires: Posix.wallMilliseconds() + 600_000), by: alice)
            #expect(try rights(soon)?.name == "alice")
            try house.restart(BrokerOptions(clock: 3600))
            let later = try house.scheduler()
            #expect(try refusal { _ = try later.caller(soon.token) } == .unauthorized)
            guard case .operator = try later.caller(alice.token) else { throw HarnessError(description: "the control") }
        }

        /// S5: tokens and keys of somebody who has been removed.
        @Test func whoIsRemovedIsNobody() throws {
            let alice = try user("alice", ["shop": .admin])
            let other = another(alice)
            try order(token(other, "phone"), by: alice)
            let late = try alice.set("late", [1], project: "shop")
            try client.execute(alice, try alice.set("early", [1], project: "shop"))  // the control
            try order(.removeUser(.init(name: "alice")))
            for token in [alice.token, other.token] {
                #expect(try refusal { _ = try client.caller(token) } == .unauthorized)
                #expect(
                    try refusal { _ = try client.call(BrokerEdge.Execute(token: token, order: late)) } == .unauthorized)
            }
            // Her key under somebody else's token.
            #expect(try refusal { try client.execute(admin, late) } == .orderRefused)
            // She comes back: an order from before does not.
            let again = try user("alice", ["shop": .admin])
            #expect(try refusal { try client.execute(again, late) } == .orderRefused)
            #expect(try client.secrets(again, project: "shop") == ["early"])
        }

        /// The same key comes back: what was sealed before is a replay.
        @Test func noOrderFromBeforeCounts() throws {
            let alice = try user("alice", ["shop": .admin])
            let late = try alice.set("late", [1], project: "shop")
            // Orders of tests that run beside it are sealed with times ahead of the clock, each later than the last.
            let past = Posix.monotonicNow() + 300_000_000
            while Posix.monotonicNow() < past {}
            try order(.removeUser(.init(name: "alice")))
            try order(.setUser(.init(name: "alice", key: alice.key.publicKey, everywhere: .metrics)))
            try order(.setRole(.init(user: "alice", project: "shop", access: .admin)))
            try order(token(alice))
            #expect(try refusal { try client.execute(alice, late) } == .conflict)
        }

        @Test func theHouseKeepsAnAdmin() throws {
            #expect(try refused(.removeUser(.init(name: "admin")), by: admin) == .invalid)
            let bare = OrderBody.setUser(.init(name: "admin", key: nil, everywhere: .admin))
            #expect(try refused(bare, by: admin) == .invalid)
            try user("hugo", everywhere: .admin)
            try order(.removeUser(.init(name: "admin")))
            #expect(try refusal { _ = try client.caller(admin.token) } == .unauthorized)
        }

        @Test func namesAndDoublesAreRefused() throws {
            let alice = try user("alice")
            for name in ["a b", "-a", "a/b", "ä"] {
                #expect(try refused(.setUser(.init(name: name, key: nil, everywhere: .read)), by: admin) == .invalid)
            }
            let stolen = OrderBody.setUser(.init(name: "eve", key: alice.key.publicKey, everywhere: .metrics))
            #expect(try refused(stolen, by: admin) == .invalid, "a key is one person's")
            #expect(try refused(token(alice, "again"), by: admin) == .invalid, "the same token")
            #expect(try refused(token(another(alice)), by: admin) == .invalid, "the same name")
            #expect(
                try refused(.setRole(.init(user: "nobody", project: "shop", access: .read)), by: admin) == .notFound)
            #expect(try refused(.removeToken(.init(user: "alice", name: "nothing")), by: admin) == .notFound)
        }

        @Test func listsShowWhatMayBeSeen() throws {
            let alice = try user("alice", ["shop": .admin, "web": .read])
            try user("bob", ["web": .write])
            try user("carol", ["lab": .admin])
            func seen(_ person: Person) throws -> [String: [String]] {
                let users = try client.call(BrokerEdge.ListUsers(token: person.token, after: "")).message.users
                return Dictionary(uniqueKeysWithValues: users.map { ($0.name, $0.projects.map(\.project)) })
            }
            #expect(try seen(admin) == ["admin": [], "alice": ["shop", "web"], "bob": ["web"], "carol": ["lab"]])
            #expect(try seen(alice) == ["admin": [], "alice": ["shop", "web"], "bob": ["web"]])
            func tokens(_ person: Person, of user: String) throws -> [String] {
                try client.call(BrokerEdge.ListTokens(token: person.token, user: user, after: "")).message.tokens
                    .map(\.name)
            }
            #expect(try tokens(alice, of: "") == ["laptop"])
            #expect(try tokens(admin, of: "alice") == ["laptop"])
            #expect(try refusal { _ = try tokens(alice, of: "admin") } == .deniedByPolicy)
            let page = try client.call(BrokerEdge.ListUsers(token: admin.token, after: "alice")).message
            #expect(page.users.map(\.name) == ["bob", "carol"] && !page.more)
        }

        @Test func everyChangeRaisesTheRevisionAndIsOnRecord() throws {
            func revision() throws -> UInt64 {
                try client.call(BrokerEdge.ListUsers(token: admin.token, after: "")).message.revision
            }
            let before = try revision()
            let alice = try user("alice", ["shop": .admin])
            #expect(try revision() == before + 3)
            try order(.setSecret(.init(project: "shop", name: "key")), value: [1], by: alice)
            try order(.removeToken(.init(user: "alice", name: "laptop")))
            try order(.removeUser(.init(name: "alice")))
            #expect(try revision() == before + 6)
            #expect(try refused(.removeUser(.init(name: "alice")), by: admin) == .notFound)
            try house.restart()
            let again = try house.scheduler().call(BrokerEdge.ListUsers(token: admin.token, after: "")).message
            #expect(again.revision == before + 6 && again.users.map(\.name) == ["admin"])
            for event in [AuditEvent.userSet, .roleSet, .tokenSet, .tokenRemoved, .userRemoved] {
                let lines = try house.audited(event)
                #expect(lines.count == 1 && lines[0].contains(" by=admin user=alice "), "\(event)")
            }
        }
    }
}

/// A store of the time before there were users.
@Suite struct OldStoreTests {
    @Test(arguments: [UInt8(1), 2]) func aStoreFromBeforeOpens(_ version: UInt8) throws {
        let directory = try TestDirectory()
        let keys = try BrokerKeys(master: [UInt8](repeating: 7, count: 32))
        var writer = WireWriter(reserving: 64)
        writer.u32(3)
        writer.u64(0)
        writer.bytes32(Bytes32(0, 0, 0, 0))
        try writer.count(1, 1, 64, "operators")
        try writer.text(short: "admin", 1, 64, "name")
        writer.bytes32(Hashes.token("the token"))
        writer.bytes32(Bytes32(1, 2, 3, 4))
        writer.i64(99)
        try writer.count(0, 0, 1, "secrets")
        if version == 2 { try writer.count(0, 0, 1, "policies") }
        let magic = Array("BULKHEAD-STORE-\(version)\n".utf8)
        var plain = try Secret(capacity: writer.bytes.count)
        for byte in writer.bytes { try unsafe withUnsafeBytes(of: byte) { try unsafe plain.append($0) } }
        try directory.write("store", magic + (try plain.sealed(keys.store, authenticating: magic)))
        let store = try #require(try SealedStore(opening: directory.path, [keys]))
        let user = try #require(store.content.user("admin"))
        #expect(user.info.everywhere == .admin && user.info.key == Bytes32(1, 2, 3, 4) && user.mark == 99)
        #expect(store.content.tokens.map(\.hash) == [Hashes.token("the token")])
        try store.commit(store.content, keys)
        let again = try #require(try SealedStore(opening: directory.path, [keys]))
        #expect(again.content == store.content)
    }
}
