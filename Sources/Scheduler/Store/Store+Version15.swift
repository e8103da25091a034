// Schema version 15: a runner's word says as what it was registered, and a job's by which rule it was read.

extension Store {
    /// Words of before say neither, and brokerd takes none of them. GitLab ends those jobs by their timeouts, and the
    /// runners stay listed there.
    static let version15 = "DELETE FROM gitlab_jobs; DELETE FROM gitlab_runners;"
}
