// Sending: a secret on its way out, as courierd says a token to a forge.

import Exchange
import Outbound
import Posix
import Secret

/// To a server on this port of loopback. What is given back has its connections, and whatever belongs to them.
func send(_ secret: borrowing Secret, to port: UInt16) throws -> Outbound {
    guard let origin = Origin(.http, host: "127.0.0.1", port: port), let loopback = AddressRange("127.0.0.1") else {
        fatalError("no origin")
    }
    let loop = try PollLoop()
    let settings = OutboundSettings(addresses: AddressPolicy(named: [loopback]))
    let outbound = try Outbound(loop: loop, settings: settings)
    var status: Int?
    let request = ExchangeRequest(.get, origin, RequestTarget("/"), credential: .bearer)
    outbound.send(request, token: secret, within: [origin]) {
        status = (try? $0.get().status) ?? 0
    }
    while status == nil { loop.runPass(waiting: .seconds(1)) }
    if status != 200 { fatalError("no answer") }
    return outbound
}
