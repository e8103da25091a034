// The job's grant: waiting for it, opening it, seeing it gone.

import Posix

extension Runner {
    private static let longestPause: Int64 = 20

    /// Looks into the grant's directory now, and then at growing intervals while the machine awaits something of it. A
    /// tmpfs of the host's tells nobody in a container that it has changed.
    func watchGrant() {
        grantPause = 0
        lookAgain()
    }

    private func lookAgain() {
        if let grantLook { loop.cancel(grantLook) }
        grantLook = loop.after(.milliseconds(grantPause)) { [weak self] in
            guard let self else { return }
            grantLook = nil
            look()
        }
        grantPause = min(max(grantPause * 2, 1), Self.longestPause)
    }

    private func look() {
        let directory = GrantDirectory(configuration.grantDirectory)
        switch machine.awaited {
        case .grant:
            guard let sealed = directory.sealedGrant() else { return lookAgain() }
            take(sealed)
        case .emptiness:
            guard directory.isEmpty else { return lookAgain() }
            perform(machine.grantWiped(now: now))
        case nil:
            break
        }
    }

    private func take(_ sealed: [UInt8]) {
        do throws(Refusal) {
            guard let opened = try open(sealed) else { return }
            grant = opened
            guard let sealKey = opened.sealKey() else { throw Refusal("there is no memory for the grant's keys") }
            self.sealKey = sealKey
            // Before anybody is told that the grant was taken.
            key = nil
            perform(machine.grantTaken())
        } catch {
            perform(machine.preparationFailed(error.description))
        }
    }

    /// By itself, so that nothing else holds the key when it returns.
    @inline(never)
    private func open(_ sealed: [UInt8]) throws(Refusal) -> GrantContents? {
        guard let key, let attempt = machine.attempt, let definition = machine.definition else { return nil }
        return try Grant.open(
            sealed, key: key, runner: configuration.runner, image: configuration.image, attempt: attempt,
            definition: definition)
    }

    /// The job's steps are over: nothing more of it is needed.
    func forgetSecrets() {
        key = nil
        grant = nil
    }
}
