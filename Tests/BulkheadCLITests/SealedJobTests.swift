// What the CLI seals is what it sends: the definition in the order and the one that the API makes of the request body
// must have one hash, or brokerd refuses every job.

import BulkheadCLI
import Foundation
import JobModel
import JobWire
import Orders
import Testing
import Wire
import YAMLDocuments

@Suite struct SealedJobTests {
    private static let text = """
        project: web
        name: deploy
        image: bulkhead/busybox
        resources: {cpus: 0.29, memory: 256MiB, disk: 64MiB, gpus: 2, gpu_vendor: amd}
        timeout: 90s
        silence_timeout: 30s
        priority: 70
        group: deploys
        cancel_in_progress: true
        needs: [9, 4]
        when: any_failed
        queue_timeout: 2h
        retries: 3
        tags: [ssd, big]
        env: {ZED: "1", ALPHA: "2"}
        steps:
          - make
          - name: fetch
            run: ./fetch
            untrusted: true
          - name: push
            run: ./push
            timeout: 30
            continue_on_error: true
            secrets:
              TOKEN: deploy-token
              KEY: {secret: signing-key, as: file}
              AGAIN: deploy-token
              SELF: bulkhead-job-token
        """
    private let source = UploadedSource(sha256: String(repeating: "5a", count: 32), size: 10240)

    @Test func theBodyMeansWhatTheOrderSays() throws {
        let job = try YAMLSpec.jobFile(Self.text)
        let definition = try SealedJob.definition(job, source: source)
        var body = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(JobRequest(job, source: source)))
                as? [String: Any])
        // apid takes the source out before it reads the rest as a job file.
        #expect(body.removeValue(forKey: "source") != nil)
        let sent = try YAMLSpec.jobFile(
            String(decoding: JSONSerialization.data(withJSONObject: body), as: UTF8.self))
        let made = try sent.definition(source: definition.source)
        #expect(try Hashes.definition(made) == Hashes.definition(definition))
    }

    @Test func theOrderNamesTheSecretsAndNothingElse() throws {
        let master = [UInt8](repeating: 7, count: 32)
        let broker = try BrokerKeys(master: master)
        let key = KeyFile.generate(name: "admin", broker: broker.publicKey)
        let definition = try SealedJob.definition(try YAMLSpec.jobFile(Self.text), source: source)
        let body = try SealedJob.body(definition, requestID: "r-1")
        let sealed = try OrderSealer.seal(Order(id: .random(), issuedMs: 1, body: body), with: key)
        let opened = try OrderOpener.open(sealed, with: broker)
        guard case .submit(let order) = opened.order.body else {
            Issue.record("not a submit order")
            return
        }
        #expect(order.project == "web")
        #expect(order.requestId == "r-1")
        #expect(order.trust == .trusted)
        #expect(order.secrets == ["deploy-token", "signing-key"])
        #expect(order.definition == (try Hashes.definition(definition)))
        #expect(opened.value.isEmpty)
    }

    @Test func anotherSourceIsAnotherJob() throws {
        let job = try YAMLSpec.jobFile(Self.text)
        let other = UploadedSource(sha256: String(repeating: "5b", count: 32), size: 10240)
        let hashes = try [source, other, nil].map { try Hashes.definition(SealedJob.definition(job, source: $0)) }
        #expect(Set(hashes).count == 3)
    }

    @Test(arguments: ["", "abc", String(repeating: "5A", count: 32)])
    func aSourceWithoutAProperNameIsRefused(_ hash: String) throws {
        let job = try YAMLSpec.jobFile(Self.text)
        #expect(throws: CommandFailure.self) {
            try SealedJob.definition(job, source: UploadedSource(sha256: hash, size: 1))
        }
    }
}
