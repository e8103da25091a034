// A POST that does nothing: Hummingbird as it is, one body read, one word answered. `bare-post PORT`.

import Hummingbird

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8080
let router = Router()
router.post("**") { request, _ -> Response in
    let body = try await request.body.collect(upTo: 1 << 20)
    let answer = ByteBuffer(string: "{\"created\":true,\"delivery\":\(body.readableBytes)}")
    return Response(
        status: .accepted, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: answer))
}
let application = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
try await application.runService()
