// Payload: from the document of a 201 to a job. It is total: whatever a hostile GitLab says, the end is a job within
// bounds, a job that is refused in a sentence, or an error. Payload+Parts: the parts of a job. Payload+Support: what
// others have and we do not.

package import Documents

package enum PayloadProblem: Error, Equatable, Sendable {
    case document(JSONReader.Refused)
    /// Its number and its token cannot be read, so nobody can be told that it failed.
    case nameless
}

package enum Payload {
    /// A job with as much of everything as may be comes close.
    private static let bounds = JSONReader.Bounds(depth: 24, values: 50_000, text: 1 << 20)

    package static func read(
        _ body: [UInt8], limits: PayloadLimits = PayloadLimits()
    ) throws(PayloadProblem) -> GivenJob {
        let document: SpecValue
        do throws(JSONReader.Refused) {
            document = try JSONReader.document(body, bounds: bounds)
        } catch {
            throw .document(error)
        }
        let root = PayloadValue(document.content, path: "")
        let handle = try handle(root)
        do throws(JobRefused) {
            return .job(try job(root, handle, limits))
        } catch {
            let end: JobEnd = error.isUnsupported ? .unsupported : .malformed
            return .refused(RefusedJob(handle: handle, end: end, sentence: error.sentence))
        }
    }

    private static func handle(_ root: PayloadValue) throws(PayloadProblem) -> JobHandle {
        do throws(JobRefused) {
            let id = try root.member("id").number()
            return JobHandle(id: id, token: try root.member("token").token(), reasons: reasons(root))
        } catch {
            throw .nameless
        }
    }

    /// A list that cannot be read is none: with it the end would be said to be an odd one, without it a plain one.
    private static func reasons(_ root: PayloadValue) -> [String]? {
        do throws(JobRefused) {
            let listed = try root.member("features").member("failure_reasons")
            if listed.isNull { return nil }
            var reasons: [String] = []
            for reason in try listed.list(64) { reasons.append(try reason.word(64)) }
            return reasons
        } catch {
            return nil
        }
    }

    private static func job(
        _ root: PayloadValue, _ handle: JobHandle, _ limits: PayloadLimits
    ) throws(JobRefused) -> GitLabJob {
        try refuseWhatIsUnknown(root)
        let info = try root.member("job_info")
        let timeout = try timeout(root, limits)
        let list = try variables(root, timeout: timeout, limits)
        try refuseSettings(list)
        let (plain, secrets) = try split(list, limits)
        let project = try info.member("project_id").number()
        return GitLabJob(
            handle: handle, name: try info.member("name").word(1024),
            stage: try info.member("stage").optionalText(1024),
            pipeline: try optionalNumber(info.member("pipeline_id")), project: project,
            projectPath: try info.member("project_full_path").optionalText(1024),
            user: try optionalNumber(info.member("user_id")),
            isProtected: try root.member("git_info").member("protected").flag(),
            source: try source(root.member("git_info"), project, list), timeout: timeout,
            image: try image(root.member("image"), list, limits), variables: plain, secrets: secrets,
            steps: try steps(root.member("steps"), limits),
            artifacts: try artifacts(root.member("artifacts"), list, limits),
            dependencies: try dependencies(root.member("dependencies"), limits),
            maskPrefixes: try maskPrefixes(root.member("features")))
    }

    private static func optionalNumber(_ value: PayloadValue) throws(JobRefused) -> UInt64 {
        value.isNull ? 0 : try value.number()
    }

    private static func timeout(_ root: PayloadValue, _ limits: PayloadLimits) throws(JobRefused) -> UInt32 {
        let value = try root.member("runner_info").member("timeout")
        let seconds = try optionalNumber(value)
        if seconds == 0 { return 3600 }
        guard seconds <= limits.timeout else {
            throw .unsupported("its timeout of \(seconds) seconds is longer than \(limits.timeout), the most here")
        }
        return UInt32(seconds)
    }

    private static func maskPrefixes(_ features: PayloadValue) throws(JobRefused) -> [String] {
        var prefixes: [String] = []
        for prefix in try features.member("token_mask_prefixes").list(64) { prefixes.append(try prefix.word(64)) }
        return prefixes
    }
}
