// What a job gets that says nothing of when it runs.

extension Schedule {
    /// In the middle, alone, at once, and not again.
    package static let usual = Schedule(
        priority: 50, group: nil, needs: [], condition: .allSuccess, queueTimeoutSeconds: 0, retries: 0, tags: [])
}
