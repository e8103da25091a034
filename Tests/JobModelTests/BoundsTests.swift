// What a document that is wrong everywhere costs, and what is told of it.

import Documents
import JobModel
import Testing

struct BoundsTests {
    private static func unknown(_ count: Int) -> SpecValue {
        SpecValue(.map((0..<count).map { SpecValue.Entry(key: "unknown\($0)", value: 1) }))
    }

    private static func problems(_ result: Result<JobFile, JobFileProblems>) -> JobFileProblems? {
        if case .failure(let problems) = result { problems } else { nil }
    }

    @Test func theFirstHundredAndHowManyMore() {
        // image and steps are missing, too.
        for (count, more) in [(97, 0), (98, 0), (99, 1), (1_900, 1_802)] {
            let problems = Self.problems(JobFile.parse(Self.unknown(count)))
            #expect(problems?.problems.count == min(count + 2, 100) && problems?.more == more, "\(count)")
        }
        let shape = Self.problems(JobFile.parseShape(Self.unknown(150)))
        #expect(shape?.problems.count == 100 && shape?.more == 51)
    }

    @Test func whatIsTooManyIsNotLookedAt() {
        let steps = SpecValue(.list(Array(repeating: ["rum": "x"], count: 1_000)))
        #expect(Self.problems(JobFile.parse(["image": "a", "steps": steps]))?.problems.count == 1 + 2 * 32)
        let env = SpecValue(.map((0..<1_000).map { .init(key: "1A\($0)", value: "x") }))
        #expect(Self.problems(JobFile.parse(["image": "a", "steps": ["b"], "env": env]))?.problems.count == 1 + 64)
        let uses = SpecValue(.map((0..<1_000).map { .init(key: "1A\($0)", value: "x") }))
        let step: SpecValue = ["run": "x", "secrets": uses]
        let problems = Self.problems(JobFile.parse(["image": "a", "steps": [step]]))
        #expect(problems?.problems.count == 1 + 16)
    }

    /// To Swift a letter with a million accents is one character.
    @Test func oneCharacterOfAMegabyteIsNotRepeated() {
        let key = "k" + String(repeating: "\u{301}", count: 500_000)
        let problem = Self.problems(JobFile.parse([key: 1, "image": "a", "steps": ["b"]]))?.problems.first
        #expect(problem?.path.utf8.count ?? .max < 200 && problem?.message.utf8.count ?? .max < 200)
    }

    /// A long word is nobody's slip of the finger.
    @Test func onlyAShortWordIsGuessed() {
        func message(_ key: String) -> String? {
            Self.problems(JobFile.parse([key: 1, "image": "a", "steps": ["b"]]))?.problems.first?.message
        }
        #expect(message("nmae") == "is not known; did you mean 'name'?")
        #expect(message(String(repeating: "k", count: 500))?.contains("did you mean") == false)
    }
}
