import Masker
import Testing

/// S7: the forms in which a value is printed.
@Suite struct FormTests {
    private static let letters = Array("aA0/+-_.~*'() \"\\\n\r\t<>&%=:\u{8}\u{c}\u{1}\u{7f}éß€𝄞").map {
        Array(String($0).utf8)
    }

    private func value(_ length: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<length).flatMap { _ in Self.letters.randomElement(using: &generator) ?? [] }
    }

    @Test func generatedValuesInAllForms() throws {
        var generator = SeededGenerator(7)
        for _ in 0..<4_000 {
            let values = (0..<Int.random(in: 1...2, using: &generator)).map { _ in
                value(Int.random(in: 1...(Bool.random(using: &generator) ? 12 : 70), using: &generator), &generator)
            }
            let masker = Masker()
            try masker.add { patterns in for value in values { try patterns.add(value) } }
            let forms = values.flatMap(Reference.forms)
            let text = Material.text(of: forms.isEmpty ? values : forms, 300, &generator) {
                value(Int.random(in: 0...4, using: &$0), &$0)
            }
            let expected = Reference.masked(text, forms)
            for _ in 0..<5 {
                #expect(masker.all(pieces(text, cuts: randomCuts(text.count, &generator))) == expected, "\(values)")
            }
        }
    }

    /// The forms are what the encoders make, whatever stands before and behind.
    @Test(arguments: 0..<40) func whatEncodersMake(seed: Int) throws {
        var generator = SeededGenerator(UInt64(seed) + 100)
        let value = (0..<32).map { _ in UInt8.random(in: 33..<127, using: &generator) }
        let masker = Masker()
        try masker.add { try $0.add(value) }
        for before in 0..<7 {
            let noise = (0..<before).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = Reference.encoded(noise + value + noise)
            let output = masker.all([text[...]])
            #expect(output.count < 30)
            #expect(String(decoding: output, as: UTF8.self).contains("***"))
        }
    }

    @Test func fixedForms() throws {
        let masker = Masker()
        try masker.add { try $0.add(Array("pa\"ss/wörd é<&>".utf8)) }
        for form in [
            "pa\"ss/wörd é<&>", #"pa\"ss/wörd é<&>"#, #"pa\"ss\/wörd é<&>"#, #"pa\"ss/w\u00f6rd \u00e9<&>"#,
            #"pa\"ss/wörd é\u003c\u0026\u003e"#, #"pa\"ss/w\u00F6rd \u00E9<&>"#,
            "pa%22ss%2Fw%C3%B6rd%20%C3%A9%3C%26%3E",
            "pa%22ss%2fw%c3%b6rd%20%c3%a9%3c%26%3e", "pa%22ss/w%C3%B6rd%20%C3%A9%3C%26%3E",
            "pa%22ss%2Fw%C3%B6rd+%C3%A9%3C%26%3E", "70612273732f77c3b6726420c3a93c263e",
            "70612273732F77C3B6726420C3A93C263E",
        ] {
            #expect(masker.all([Array("<\(form)>".utf8)[...]]) == Array("<***>".utf8), "\(form)")
        }
    }

    @Test func linesOfALongerValue() throws {
        let masker = Masker()
        try masker.add { try $0.add(Array("-----BEGIN KEY-----\r\nMIIEvQIBADANBgkq\n}\nhkiG9w0B\nshort\n".utf8)) }
        func masked(_ text: String) -> String { String(decoding: masker.all([Array(text.utf8)[...]]), as: UTF8.self) }
        #expect(masked("| MIIEvQIBADANBgkq\n| hkiG9w0B\n| }\n| short\n") == "| ***\n| ***\n| }\n| short\n")
        #expect(masked("-----BEGIN KEY-----") == "***")
        // As `$(cat file)` gives it: without the last line end.
        #expect(masked("<-----BEGIN KEY-----\r\nMIIEvQIBADANBgkq\n}\nhkiG9w0B\nshort>") == "<***>")
    }

    @Test func shortValuesAreNotMasked() throws {
        let masker = Masker()
        try masker.add { try $0.add(Array("abc".utf8)) }
        #expect(masker.all([Array("abc 616263 YWJj".utf8)[...]]) == Array("abc 616263 YWJj".utf8))
        try masker.add { try $0.add(Array("abcd".utf8)) }
        #expect(masker.all([Array("abc abcd".utf8)[...]]) == Array("abc ***".utf8))
    }

    @Test func tooLongIsRefused() {
        #expect(throws: Patterns.Refused.tooLong(8193)) { try Patterns().add([UInt8](repeating: 1, count: 8193)) }
    }

    /// The longest value there may be, in its longest form.
    @Test func theLongestValue() throws {
        let value = [UInt8](repeating: 1, count: 8191) + [2]
        let masker = Masker()
        try masker.add { try $0.add(value) }
        let text = value.flatMap { Array("\\u000\($0)".utf8) }
        #expect(masker.all([text[...]]) == Array("***".utf8))
        #expect(masker.mask(Array(text.dropLast())).isEmpty)
        #expect(masker.point.held == 6 * 8192 - 1)
        #expect(masker.flush() == text.dropLast())
    }
}
