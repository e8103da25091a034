// ProjectJob+File: a job file that was read from the repository becomes this project's job.

package import Documents
package import JobModel
import TrustModel

extension ProjectJob.CIFile {
    /// What the file asks for, within what the project says of it. The file cannot choose its project, so it cannot
    /// name another one's secrets; a key that only a submitted job has is a mistake in it.
    package func job(_ document: SpecValue, name: String, of project: String) -> Result<JobFile, JobFileProblems> {
        var reader = SpecReader()
        guard reader.map(document, at: "", keys: SharedParts.jobKeys) != nil, reader.problems.isEmpty else {
            return .failure(reader.found)
        }
        return JobFile.parse(document).map { file in
            var file = file
            file.project = project
            file.name = name
            if let timeout { file.timeout = timeout }
            if let priority { file.schedule.priority = priority }
            if let retries { file.schedule.retries = retries }
            // The project's word comes last.
            file.env = file.env.filter { own in !env.contains { $0.name == own.name } } + env
            file.env.sort { $0.name < $1.name }
            return file
        }.flatMap { file in
            // A variable of the project that a step gives a secret to, or one too many: only the whole tells.
            file.env.count <= JobFile.Bounds.variables
                ? JobFile.parse(file.document).map { _ in file }
                : .failure(
                    JobFileProblems(problems: [
                        JobFileProblem(
                            path: "env", place: nil,
                            message: "has \(file.env.count) variables with the project's; at most "
                                + "\(JobFile.Bounds.variables) fit")
                    ]))
        }
    }
}
