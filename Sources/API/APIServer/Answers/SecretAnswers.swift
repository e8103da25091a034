// SecretAnswers: secrets and orders as the API tells them.

import Wire

struct SecretPageAnswer: Encodable {
    struct Secret: Encodable {
        let name: String
        let setAt: String
        let setBy: String
    }

    let secrets: [Secret]
    let more: Bool

    init(_ reply: SchedulerEdge.ListSecrets.Reply) {
        secrets = reply.secrets.map { Secret(name: $0.name, setAt: timestamp($0.setMs), setBy: $0.setBy) }
        more = reply.more
    }
}

struct OrderDoneAnswer: Encodable {
    let done: Bool
}
