// From the sealed bytes to what the job's steps may use: opened, and compared with what relayd said. relayd may have
// been taken over; a grant that is for anything else than exactly this job opens nothing.

package import Wire

package enum Grant {
    /// Opens a grant for this job.
    /// - Parameter image: of this container, by spawnerd's word. A schedulerd that was taken over could else have
    ///   somebody's job run, and its secrets released, in an image of its own choice.
    package static func open(
        _ sealed: [UInt8], key: WipedBytes, runner: Bytes16, image: String?, attempt: Attempt,
        definition: JobDefinition
    ) throws(Refusal) -> GrantContents {
        guard image == definition.spec.shape.image else {
            throw Refusal(
                "the job is for the image \(definition.spec.shape.image), this runner's is \(image ?? "unknown")")
        }
        guard let plain = GrantSeal.open(sealed, key: key, associated: GrantFormat.associatedData(runner)) else {
            throw Refusal("the grant is damaged, or sealed for another runner")
        }
        let contents: GrantContents
        do throws(GrantContents.Malformed) {
            contents = try GrantContents(plain)
        } catch {
            throw Refusal("the grant is malformed (\(error.place))")
        }
        guard contents.attempt == attempt else {
            let granted = contents.attempt
            throw Refusal(
                "the grant is for job \(granted.job), attempt \(granted.attempt), epoch \(granted.epoch); "
                    + "this is job \(attempt.job), attempt \(attempt.attempt), epoch \(attempt.epoch)")
        }
        let hash = try hash(of: definition)
        guard contents.definition == hash else {
            throw Refusal("the grant is for the definition \(contents.definition.hex), this one is \(hash.hex)")
        }
        for (index, step) in definition.spec.steps.enumerated() {
            for use in step.secrets where !contents.holds(use.name) {
                throw Refusal("the grant lacks the secret '\(use.name)', which step \(index + 1) '\(step.name)' names")
            }
        }
        return contents
    }

    /// What a grant says of the definition that it is for.
    package static func hash(of definition: JobDefinition) throws(Refusal) -> Bytes32 {
        do throws(WireError) {
            return Digest.of(try GrantFormat.hashInput(definition))
        } catch {
            // It was decoded from a frame, so it fits its own bounds.
            throw Refusal("the definition cannot be encoded")
        }
    }
}
