// The scripted schedulerd's answers.

import Files
import Foundation
import Link
import Posix
import Wire

extension ScriptedScheduler {
    static func handlers(_ script: Watched<Script>, _ inside: Inside, _ directory: String) -> Handlers<SchedulerEdge> {
        var handlers = Handlers<SchedulerEdge>()
        addJobs(&handlers, script, inside, directory)
        addRunners(&handlers, script, inside)
        addUploads(&handlers, script, inside)
        addSecrets(&handlers, script)
        addInsight(&handlers, script)
        addPeople(&handlers, script)
        addProjects(&handlers, script, inside)
        return handlers
    }

    /// True for the good token; else answers.
    static func admits<Reply>(
        _ token: String, _ name: String, _ script: Watched<Script>, _ responder: Responder<Reply>
    ) -> Bool {
        script.change { $0.calls.append(name) }
        if token == "good" { return true }
        responder.fail(Failure(.unauthorized, "the token is wrong", place: "token"))
        return false
    }

    static func failure(of job: UInt64, _ script: Watched<Script>) -> Failure? {
        if job >= 1000 && job < 2000 {
            return Failure(ErrorCode(rawValue: UInt16(job - 1000)), "as told", place: "here")
        }
        return script.value.states[job] == nil ? Failure(.notFound, "no such job", place: "job") : nil
    }

    static let shape = RunnerShape(
        image: "bulkhead/busybox", platform: .linuxAmd64, profile: .strict,
        resources: Resources(cpuMillis: 1500, memoryBytes: 1 << 30, pids: 256, diskBytes: 1 << 20),
        untrustedSteps: false, gpus: GPUs(count: 1, vendor: .amd))

    static let status = SchedulerEdge.GetStatus.Reply(
        instance: "test", queued: 1, running: 2, runners: 3, maxRunners: 4, engine: "Docker 20.10", engineTrouble: "",
        blocked: 0, draining: false,
        daemons: [.init(role: .relayd, connected: true, detail: "")])

    static let schedule = Schedule(
        priority: 60, group: Group(name: "deploy", cancelInProgress: true), needs: [2], condition: .anyFailed,
        queueTimeoutSeconds: 90, retries: 1, tags: ["big"])

    private static func summary(_ job: UInt64, _ state: JobState) -> SchedulerEdge.JobSummary {
        .init(
            id: job, project: "shop", trust: .approved, name: "job \(job)", image: "bulkhead/busybox", state: state,
            createdMs: 1_700_000_000_123,
            startedMs: state == .queued ? nil : 1_700_000_001_000, finishedMs: state.isEnd ? 1_700_000_002_000 : nil,
            reason: "", priority: 60)
    }

    private static func addJobs(
        _ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>, _ inside: Inside, _ directory: String
    ) {
        handlers.on(SchedulerEdge.SubmitJob.self) { request, _, responder in
            guard admits(request.token, "SubmitJob", script, responder) else { return }
            let reply = script.change { script in
                if let job = script.requests[request.requestId] {
                    return SchedulerEdge.SubmitJob.Reply(job: job, created: false)
                }
                let job = UInt64(100 + script.requests.count)
                script.requests[request.requestId] = job
                script.definitions.append(request.definition)
                script.jobOrders.append(request.order)
                script.states[job] = .queued
                return SchedulerEdge.SubmitJob.Reply(job: job, created: true)
            }
            responder.reply(reply)
        }
        handlers.on(SchedulerEdge.ListJobs.self) { request, _, responder in
            guard admits(request.token, "ListJobs", script, responder) else { return }
            script.change { $0.listed.append(request) }
            let jobs = script.value.states.sorted { $0.key > $1.key }.map { summary($0.key, $0.value) }
            responder.reply(.init(jobs: Array(jobs.prefix(Int(request.limit))), next: 7))
        }
        handlers.on(SchedulerEdge.GetJob.self) { request, _, responder in
            guard admits(request.token, "GetJob", script, responder) else { return }
            if let failure = failure(of: request.job, script) { return responder.fail(failure) }
            let state = script.value.states[request.job] ?? .lost
            responder.reply(
                .init(
                    summary: summary(request.job, state), shape: shape, timeoutSeconds: 60,
                    steps: [
                        .init(
                            name: "one", startedMs: 1_700_000_001_000,
                            result: .init(index: 0, outcome: .failed, exitCode: 3, durationMs: 5)),
                        .init(name: "two", startedMs: nil, result: nil),
                    ],
                    result: state.isEnd ? .init(state: state, failedStep: 0, exitCode: 3, reason: "") : nil,
                    runner: runner, schedule: schedule, attempts: 2))
        }
        handlers.on(SchedulerEdge.CancelJob.self) { request, _, responder in
            guard admits(request.token, "CancelJob \(request.graceSeconds)", script, responder) else { return }
            if let failure = failure(of: request.job, script) { return responder.fail(failure) }
            responder.reply(.init(state: .cancelled))
        }
        addLogs(&handlers, script, inside, directory)
    }

    private static func addLogs(
        _ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>, _ inside: Inside, _ directory: String
    ) {
        handlers.on(SchedulerEdge.OpenLog.self) { request, _, responder in
            guard admits(request.token, "OpenLog", script, responder) else { return }
            if let failure = failure(of: request.job, script) { return responder.fail(failure) }
            let state = script.value.states[request.job] ?? .lost
            guard let log = try? Posix.open(directory + "/log-\(request.job)", .readOnly) else {
                return responder.fail(
                    state.isEnd
                        ? Failure(.notFound, "it has no log", place: "log")
                        : Failure(.notReady, "the job has not begun", place: "log"))
            }
            responder.reply(.init(complete: state.isEnd), fd: log)
        }
        handlers.on(SchedulerEdge.WatchJob.self) { request, sink in
            guard request.token == "good" else { return sink.fail(Failure(.unauthorized, "the token is wrong")) }
            if let failure = failure(of: request.job, script) { return sink.fail(failure) }
            script.change {
                $0.openWatches += 1
                $0.watchesEver += 1
            }
            sink.onClose = { script.change { $0.openWatches -= 1 } }
            let state = script.value.states[request.job] ?? .lost
            sink.send(.init(state: state, reason: ""))
            if state.isEnd { sink.end() } else { inside.sinks[request.job, default: []].append(sink) }
        }
    }

    private static func addSecrets(_ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>) {
        handlers.on(SchedulerEdge.SendOrder.self) { request, _, responder in
            guard admits(request.token, "SendOrder", script, responder) else { return }
            let refusal = script.change { script in
                script.orders.append(request.order)
                return script.orderRefusal
            }
            if let refusal { responder.fail(refusal) } else { responder.reply(.init()) }
        }
        handlers.on(SchedulerEdge.ListSecrets.self) { request, _, responder in
            guard admits(request.token, "ListSecrets", script, responder) else { return }
            script.change { $0.secretLists.append(request) }
            responder.reply(
                .init(secrets: [.init(name: "npm", setMs: 1_700_000_000_123, setBy: "admin")], more: true))
        }
    }

    private static func addRunners(
        _ handlers: inout Handlers<SchedulerEdge>, _ script: Watched<Script>, _ inside: Inside
    ) {
        handlers.on(SchedulerEdge.ListRunners.self) { request, _, responder in
            guard admits(request.token, "ListRunners", script, responder) else { return }
            responder.reply(
                .init(runners: [
                    .init(id: runner, shape: shape, state: .busy, job: 1, createdMs: 1_700_000_000_000, reason: "")
                ]))
        }
        handlers.on(SchedulerEdge.CreateRunner.self) { request, _, responder in
            guard admits(request.token, "CreateRunner \(request.shape.image)", script, responder) else { return }
            responder.reply(.init(runner: runner))
        }
        handlers.on(SchedulerEdge.DeleteRunner.self) { request, _, responder in
            guard admits(request.token, "DeleteRunner", script, responder) else { return }
            guard request.runner == runner else { return responder.fail(Failure(.notFound, "no such runner")) }
            responder.reply(.init())
        }
        handlers.on(SchedulerEdge.GetStatus.self) { request, _, responder in
            guard admits(request.token, "GetStatus", script, responder) else { return }
            if script.value.holdStatus {
                inside.held.append(responder)
                script.change { $0.calls.append("held") }
            } else {
                responder.reply(script.value.status)
            }
        }
    }
}
