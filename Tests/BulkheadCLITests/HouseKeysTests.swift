// The keys of a house are made once, by `up` and by `init` alike, and never written over.

import BulkheadCLI
import Foundation
import Orders
import Testing
import Wire

@Suite struct HouseKeysTests {
    private let folder: TestFolder
    private let keys: HouseKeys

    init() throws {
        folder = try TestFolder()
        keys = HouseKeys(
            people: try folder.make("etc"), masterKeys: try folder.make("etc/master"),
            brokerState: try folder.make("broker"))
    }

    @Test func theFirstStartMakesAHouseThatFitsTogether() throws {
        #expect(try keys.prepare().count == 4)
        let master = try folder.bytes("etc/master/current")
        #expect(master.count == 32)
        let key = try KeyFile(parsing: folder.text("etc/admin-key"))
        #expect(key.broker == (try BrokerKeys(master: master)).publicKey)
        let token = try folder.text("etc/admin-token").trimmingCharacters(in: .newlines)
        #expect(token.hasPrefix("bh_") && token.count == 67)
        let word = try Bootstrap(parsing: folder.text("broker/bootstrap"))
        #expect(word == Bootstrap(name: "admin", tokenHash: Hashes.token(token), key: key.publicKey))
        for name in ["etc/master/current", "etc/admin-key", "etc/admin-token"] {
            #expect(try folder.mode(name) == 0o600, "\(name)")
        }
    }

    @Test func aSecondStartChangesNothing() throws {
        _ = try keys.prepare()
        let names = ["etc/master/current", "etc/admin-key", "etc/admin-token", "broker/bootstrap"]
        let before = try names.map(folder.bytes)
        #expect(try keys.prepare() == [])
        #expect(try names.map(folder.bytes) == before)
    }

    @Test(arguments: ["etc/master/current", "etc/admin-token", "broker/bootstrap"])
    func whatACrashLeftOutIsMade(_ name: String) throws {
        _ = try keys.prepare()
        let token = try folder.text("etc/admin-token")
        // Whoever lost the master key has to let the old key go as well: it names the old broker.
        if name == "etc/master/current" { try FileManager.default.removeItem(atPath: "\(folder.path)/etc/admin-key") }
        try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        let made = try keys.prepare()
        #expect(made.contains("\(folder.path)/\(name)"))
        #expect((try folder.text("etc/admin-token") == token) == (name != "etc/admin-token"))
        let word = try Bootstrap(parsing: folder.text("broker/bootstrap"))
        let now = try folder.text("etc/admin-token").trimmingCharacters(in: .newlines)
        #expect(word.tokenHash == Hashes.token(now))
    }

    @Test func withAStoreNothingIsMade() throws {
        _ = try keys.prepare()
        try folder.write("broker/store", "sealed")
        try FileManager.default.removeItem(atPath: "\(folder.path)/etc/admin-token")
        #expect(try keys.prepare() == [])
        #expect(!folder.has("etc/admin-token"))
    }

    @Test func aStoreWithoutItsMasterKeyIsSaid() throws {
        try folder.write("broker/store", "sealed")
        #expect(throws: CommandFailure.self) { try keys.prepare() }
        #expect(!folder.has("etc/master/current"), "a new master key would hide that the old one is lost")
    }

    @Test func theKeyOfAnotherHouseIsNotTaken() throws {
        try folder.write("etc/admin-key", KeyFile.generate(name: "admin", broker: .random()).text)
        let failure = #expect(throws: CommandFailure.self) { try keys.prepare() }
        #expect(failure?.description.contains("another house") == true)
    }

    @Test(arguments: [("etc/admin-token", 0o644), ("etc/admin-key", 0o640), ("etc/master/current", 0o604)])
    func aFileThatOthersCanReadIsRefused(_ name: String, _ mode: Int) throws {
        _ = try keys.prepare()
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder.path)/\(name)")
        let failure = #expect(throws: CommandFailure.self) { try keys.prepare() }
        #expect(failure?.description.contains("read by others") == true)
    }

    @Test func aLinkInsteadOfTheMasterKeyIsRefused() throws {
        try folder.write("elsewhere", String(repeating: "x", count: 32))
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/etc/master/current", withDestinationPath: "\(folder.path)/elsewhere")
        #expect(throws: CommandFailure.self) { try keys.prepare() }
    }
}
