// Where a request may go: configured servers, public addresses or named ones, over TLS that proves who is there.

import Exchange
import Foundation
import Outbound
import Testing

@Suite struct DestinationTests {
    @Test func onlyConfiguredServersAreAsked() throws {
        let (known, other) = (try LoopbackServer(http(200)), try LoopbackServer(http(200)))
        let asking = try Asking(known)
        #expect(try asking.ask(Asking.get(other.origin)).reason == .unknownOrigin)
        let https = Asking.origin("https://127.0.0.1:\(known.port)")
        #expect(try asking.ask(Asking.get(https)).reason == .unknownOrigin)
        #expect(try asking.ask(Asking.get(known.origin)).get().status == 200)
        #expect(other.connections == 0)
    }

    /// The name is public, the address that it resolves to is not: DNS rebinding ends here.
    @Test func aNameThatLeadsHomeIsNotFollowed() throws {
        let server = try LoopbackServer(http(200))
        let origin = Asking.origin("http://localhost:\(server.port)")
        let secure = Asking.origin("https://localhost:\(server.port)")
        for (origin, policy) in [
            (origin, AddressPolicy()), (secure, AddressPolicy()),
            (secure, AddressPolicy(named: ["10.0.0.0/8"].compactMap(AddressRange.init))),
        ] {
            let outcome = try Asking([origin], policy).ask(Asking.get(origin))
            #expect(outcome.reason == .refusedAddress)
            #expect(outcome.wasSent == false)
        }
        #expect(server.connections == 0)
        #expect(try Asking([origin]).ask(Asking.get(origin)).get().status == 200)
    }

    @Test func withoutTLSOnlyLoopbackIsReached() {
        let named = AddressPolicy(
            named: ["10.0.0.0/8", "127.0.0.0/8", "93.184.216.0/24"].compactMap(AddressRange.init))
        for (address, isPlain, isAdmitted) in [
            ("10.1.2.3", false, true), ("10.1.2.3", true, false), ("93.184.216.34", true, false),
            ("93.184.216.34", false, true), ("127.0.0.1", true, true), ("127.0.0.1", false, true),
        ] {
            #expect(named.admits(Self.address(address), isPlain: isPlain) == isAdmitted, "\(address) \(isPlain)")
        }
        #expect(!AddressPolicy().admits(Self.address("127.0.0.1"), isPlain: true))
    }

    @Test(arguments: [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
        "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "::7f00:1", "fec0::1",
    ])
    func addressesThatAreNotPublicAreRefused(_ text: String) {
        #expect(!AddressPolicy().admits(Self.address(text), isPlain: false))
    }

    @Test(arguments: [
        "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "140.82.121.4", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
        "168.63.129.17", "2606:50c0:8000::153", "2a00:1450::1", "::ffff:140.82.121.4", "64:ff9b::140.82.121.4",
    ])
    func publicAddressesAreNot(_ text: String) {
        #expect(AddressPolicy().admits(Self.address(text), isPlain: false))
    }

    @Test func rangesAreWhatTheySay() throws {
        let range = try #require(AddressRange("10.32.0.0/11"))
        #expect(range.contains(Self.address("10.63.255.255")))
        #expect(!range.contains(Self.address("10.64.0.0")))
        #expect(AddressRange("fd00::/8")?.contains(Self.address("fd12::1")) == true)
        #expect(AddressRange("0.0.0.0/0")?.contains(Self.address("8.8.8.8")) == true)
        for text in [
            "", "10.0.0.0/33", "10.0.0/8", "010.0.0.1", "10.0.0.1/", "a::b::c", "::1/129", "1:2", "x", "10.0.0.1/+8",
        ] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test func noVariableOfTheEnvironmentLeadsElsewhere() throws {
        let (server, proxy) = (try LoopbackServer(http(200, "direct")), try LoopbackServer(http(200, "proxy")))
        let names = ["http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"]
        for name in names { setenv(name, "http://127.0.0.1:\(proxy.port)", 1) }
        defer { for name in names { unsetenv(name) } }
        #expect(try Asking(server).ask(Asking.get(server.origin)).get().body == Array("direct".utf8))
        #expect(proxy.connections == 0)
    }

    static func address(_ text: String) -> IPAddress {
        var bytes = [UInt8](repeating: 0, count: 16)
        let isFour = !text.contains(":")
        guard inet_pton(isFour ? AF_INET : AF_INET6, text, &bytes) == 1,
            let address = IPAddress(bytes: Array(bytes.prefix(isFour ? 4 : 16)))
        else { preconditionFailure(text) }
        return address
    }
}
