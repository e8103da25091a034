// ProjectAnswers: projects, deliveries and approvals as the API tells them.

import Wire

struct ProjectPageAnswer: Encodable {
    struct Project: Encodable {
        let name: String
        let forge: String
        let repository: String
        let jobs: Int
        let revision: String
        let setAt: String
    }

    let projects: [Project]
    let more: Bool

    init(_ reply: SchedulerEdge.ListProjects.Reply) {
        projects = reply.projects.map {
            Project(
                name: $0.name, forge: "\($0.forge)", repository: $0.repository, jobs: Int($0.jobs),
                revision: $0.revision.hex, setAt: timestamp($0.setMs))
        }
        more = reply.more
    }
}

struct ProjectAnswer: Encodable {
    let document: String
    let revision: String

    init(_ reply: SchedulerEdge.GetProject.Reply) {
        document = String(decoding: reply.document, as: UTF8.self)
        revision = reply.revision.hex
    }
}

struct ForgeCheckAnswer: Encodable {
    let missing: [String]
}

struct ProjectAppliedAnswer: Encodable {
    let revision: String
}

struct DeliveryAnswer: Encodable {
    let delivery: UInt64
    let created: Bool

    init(_ reply: SchedulerEdge.Deliver.Reply) {
        delivery = reply.delivery
        created = reply.created
    }
}

struct DeliveryPageAnswer: Encodable {
    struct Delivery: Encodable {
        let id: UInt64
        let project: String
        let receivedAt: String
        let state: String
        let what: String
        let text: String
        let jobs: [UInt64]
    }

    let deliveries: [Delivery]
    let next: UInt64?

    init(_ reply: SchedulerEdge.ListDeliveries.Reply) {
        deliveries = reply.deliveries.map {
            Delivery(
                id: $0.id, project: $0.project, receivedAt: timestamp($0.receivedMs), state: "\($0.state)",
                what: $0.what, text: $0.text, jobs: $0.jobs)
        }
        next = reply.next == 0 ? nil : reply.next
    }
}

struct HeldAnswer: Encodable {
    let project: String
    let number: UInt64
    let head: String
    let base: String
    let branch: String
    let revision: String
    let author: String

    init(_ reply: SchedulerEdge.GetHeld.Reply) {
        (project, number, head, base) = (reply.project, reply.number, reply.head, reply.base)
        branch = reply.branch
        (revision, author) = (reply.revision.hex, reply.author)
    }
}

struct ApprovedAnswer: Encodable {
    let jobs: Int
}
