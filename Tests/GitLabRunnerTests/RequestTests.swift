// What is sent, byte for byte, and what is read of the small answers.

import Exchange
import ForgeCalls
import GitLabRunner
import Testing

@Suite struct RequestTests {
    private func line(_ request: RunnerRequest) -> String {
        "\(request.request.method.rawValue) \(request.request.target.text)"
    }

    private func body(_ request: RunnerRequest) -> String { String(decoding: request.request.body, as: UTF8.self) }

    /// With the token where it goes.
    private func filled(_ request: RunnerRequest) throws -> String {
        var bytes = request.request.body
        bytes.insert(contentsOf: "T".utf8, at: try #require(request.request.tokenAt))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func registration() throws {
        var settings = RunnerSettings(
            scope: .project(15), description: "a\nb", tags: ["x", "y"], runUntagged: false)
        settings.maximumTimeout = 600
        let create = Made.api.create(settings)
        #expect(line(create) == "POST /api/v4/user/runners")
        #expect(create.token == .person)
        #expect(create.request.credential?.header == "PRIVATE-TOKEN")
        #expect(!create.request.isRepeatable)
        #expect(
            body(create)
                == #"{"runner_type":"project_type","project_id":15,"description":"a b","tag_list":["x","y"],"#
                + #""run_untagged":false,"locked":false,"access_level":"not_protected","maximum_timeout":600}"#)
        let old = Made.api.register(settings)
        #expect((line(old), old.token) == ("POST /api/v4/runners", .registration))
        #expect(try filled(old).hasPrefix(#"{"token":"T","info":{"name":"bulkhead","#))
    }

    @Test func theRestOfALife() throws {
        let api = Made.api
        #expect(line(api.verify()) == "POST /api/v4/runners/verify")
        #expect(try filled(api.verify()).hasPrefix(#"{"token":"T","system_id":"r_abcdefABCDEF","info":{"#))
        #expect(line(api.rotate()) == "POST /api/v4/runners/reset_authentication_token")
        #expect(try filled(api.rotate()) == #"{"token":"T"}"#)
        #expect(!api.rotate().request.isRepeatable)
        #expect(line(api.unregister()) == "DELETE /api/v4/runners")
        #expect(try filled(api.unregister()) == #"{"token":"T"}"#)
        #expect(line(api.unregisterManager()) == "DELETE /api/v4/runners/managers")
        #expect(try filled(api.unregisterManager()) == #"{"token":"T","system_id":"r_abcdefABCDEF"}"#)
        #expect((line(api.delete(7)), api.delete(7).token) == ("DELETE /api/v4/runners/7", .person))
    }

    @Test func asking() throws {
        let ask = Made.api.askForJob(lastUpdate: nil)
        #expect((line(ask), ask.token) == ("POST /api/v4/jobs/request", .runner))
        #expect(!ask.request.isRepeatable)
        #expect(ask.request.credential?.header == "RUNNER-TOKEN")
        let text = try filled(ask)
        #expect(text.hasSuffix(#""system_id":"r_abcdefABCDEF"}"#))
        #expect(text.contains(#""refspecs":true"#) && text.contains(#""two_phase_job_commit":false"#))
        #expect(text.contains(#""services":false"#) && text.contains(#""cache":false"#))
        #expect(body(Made.api.askForJob(lastUpdate: "u1")).hasSuffix(#","last_update":"u1"}"#))
        func update(_ value: String) -> String? {
            RunnerAPI.lastUpdate(ExchangeAnswer(status: 204, headers: [HeaderField("X-GitLab-Last-Update", value)]))
        }
        #expect((update("abc"), update(""), update("a\nb")) == ("abc", nil, nil))
    }

    @Test func logAndEnd() throws {
        let patch = Made.api.patchTrace(10, at: 5, Array("hello".utf8)).request
        #expect(patch.target.text == "/api/v4/jobs/10/trace?debug_trace=false")
        #expect(patch.headers.contains(HeaderField("Content-Range", "5-9")))
        #expect(patch.headers.contains(HeaderField("Content-Type", "text/plain")))
        #expect((patch.isRepeatable, patch.credential?.header) == (true, "JOB-TOKEN"))
        let running = Made.api.update(10, .running)
        #expect((line(running), running.token) == ("PUT /api/v4/jobs/10", .job(10)))
        #expect(try filled(running).hasSuffix(#""state":"running"}"#))
        let end = Made.api.update(
            10, .final(FinalState(.failed(exitCode: 3), listed: nil), LogSummary(crc: 0xAB, size: 7)))
        #expect(
            body(end).hasSuffix(
                #""state":"failed","failure_reason":"script_failure","exit_code":3,"#
                    + #""output":{"checksum":"crc32:000000ab","bytesize":7}}"#))
        let good = Made.api.update(10, .final(FinalState(.succeeded, listed: nil), LogSummary(crc: 0, size: 0)))
        #expect(body(good).hasSuffix(#""state":"success","output":{"checksum":"crc32:00000000","bytesize":0}}"#))
    }

    @Test func files() throws {
        let rule = ArtifactRule(
            name: "a", paths: [], exclude: [], when: .always, type: "archive", format: .zip, expireIn: "30 days")
        let upload = Made.api.upload(10, rule, fileName: "a\"\r\n/é.zip", boundary: "B0undary")
        #expect(
            line(upload.request)
                == "POST /api/v4/jobs/10/artifacts?artifact_format=zip&artifact_type=archive&expire_in=30%20days")
        #expect(upload.request.request.headers.contains { $0.value == "multipart/form-data; boundary=B0undary" })
        #expect(String(decoding: upload.head, as: UTF8.self).contains(#"filename="a______.zip""# + "\r\n"))
        #expect(String(decoding: upload.tail, as: UTF8.self) == "\r\n--B0undary--\r\n")
        let dependency = Dependency(id: 8, name: "b", token: SecretText("t"), fileName: "x.zip", size: 1)
        #expect(line(Made.api.download(dependency)) == "GET /api/v4/jobs/8/artifacts")
        #expect(Made.api.download(dependency).token == .job(8))
        let store = Made.made(Origin("https://store.example"))
        let other = RunnerAPI(origin: Made.origin, systemID: Made.api.systemID, stores: [store]).download(dependency)
        #expect(line(other) == "GET /api/v4/jobs/8/artifacts?direct_download=true")
        #expect(other.request.redirects == [store])
    }

    // MARK: answers

    private func registered(_ body: String, status: Int = 201) -> RegisteredRunner? {
        guard case .answer(let answer) = Made.answer(status, body) else { return nil }
        return try? RunnerAPI.readRegistered(answer)
    }

    @Test func whatARunnerIsTold() {
        let runner = registered(#"{"id":41,"token":"glrt-x","token_expires_at":"2026-12-01T08:00:00.000Z"}"#)
        #expect(runner?.id == 41)
        #expect(runner?.token == SecretText("glrt-x"))
        #expect(runner?.expires == 1_796_112_000)
        #expect(registered(#"{"id":41,"token":"glrt-x","token_expires_at":null}"#)?.expires == nil)
        for body in [#"{"id":41}"#, #"{"id":41,"token":"a b"}"#, #"{"id":41,"token":""}"#, "[]", #"{"token":"x"}"#] {
            #expect(registered(body) == nil, "\(body)")
        }
        #expect(registered(#"{"id":41,"token":"x","token_expires_at":"soon"}"#) == nil)
        #expect(registered(#"{"id":41,"token":"x"}"#, status: 403) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-12-01", 1_796_083_200), ("2026-12-01T08:00:00+08:00", 1_796_083_200),
        ("2026-12-01T00:00:00.123-01:30", 1_796_088_600), ("2024-02-29T23:59:59Z", 1_709_251_199),
    ])
    func dates(_ text: String, _ seconds: UInt64) { #expect(ISODate.seconds(text) == seconds) }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-12-01T25:00:00Z", "2026-12-01T00:00:00", "1969-12-31", "2026-12-01T00:00:00+9",
        "9999999999-12-01", "2026-12-01T00:00:00.Zx", "1970-01-01T00:00:00+01:00",
    ])
    func noDates(_ text: String) { #expect(ISODate.seconds(text) == nil) }

    @Test func systemIDs() {
        #expect(SystemID("s_abcdefABC019") != nil)
        for text in ["", "r_", "x_abcdefABCDEF", "r_abcdefABCDE", "r_abcdefABCDEFG", "r_abcdefABCDE-", "r_abcdefABCDé"]
        {
            #expect(SystemID(text) == nil, "\(text)")
        }
        let bytes = [UInt8](0..<16)
        #expect(SystemID(instance: bytes)?.text == "r_0123456789AB")
        #expect(SystemID(instance: bytes).flatMap { SystemID($0.text) } != nil)
        #expect(SystemID(instance: [1]) == nil)
    }

    @Test func whatAnAnswerSaysBeside() {
        func read(_ headers: (String, String)...) -> JobAnswer {
            JobAnswer(ExchangeAnswer(status: 202, headers: headers.map { HeaderField($0.0, $0.1) }))
        }
        let said = read(("Job-Status", "running"), ("Range", "0-17"), ("X-GitLab-Trace-Update-Interval", "30"))
        #expect((said.status, said.received, said.interval) == (.running, 17, .seconds(30)))
        #expect(read(("Job-Status", "canceling")).status == .canceling)
        #expect(read(("Job-Status", "canceled")).status == .over(.canceled))
        #expect(read(("Job-Status", "odd")).status == .over(.other))
        #expect(read(("X-GitLab-Trace-Update-Interval", "999999")).interval == .seconds(900))
        #expect(read(("X-GitLab-Trace-Update-Interval", "0")).interval == .seconds(1))
        for range in ["", "17", "0-", "-17", "1-17", "0-1-7", "0-x", "0-9999999999999999", "bytes 0-17"] {
            #expect(read(("Range", range)).received == nil, "\(range)")
        }
    }
}
