import Daemon
import Endpoints
import Posix
import Testing

extension Base {
    @Suite struct LogTests {
        @Test(arguments: [
            ("plain/path:1", "plain/path:1"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
            ("line\nlevel=error", #""line\nlevel=error""#), ("\u{1B}[31m", #""\u{1b}[31m""#), ("\"\\", #""\"\\""#),
            ("\r\t\u{0}\u{7F}\u{9B}", #""\r\t\u{0}\u{7f}\u{9b}""#),
            ("\u{202E}x\u{2028}\u{200B}", #""\u{202e}x\u{2028}\u{200b}""#),
            ("Grüße", "\"Grüße\""),
        ]) func hostileTextStaysInItsValue(text: String, expected: String) {
            #expect(Logfmt.value(text) == expected)
        }

        @Test func noScalarEndsTheLine() {
            for value in (0...0x2FFF as ClosedRange<UInt32>) {
                guard let scalar = Unicode.Scalar(value) else { continue }
                let escaped = Logfmt.escaped(String(scalar))
                #expect(escaped.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(value)")
            }
        }

        @Test(
            arguments: [
                (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
                (1_735_689_599_007, "2024-12-31T23:59:59.007Z"), (4_107_542_400_040, "2100-03-01T00:00:00.040Z"),
                (-1, "1969-12-31T23:59:59.999Z"),
            ] as [(Int64, String)]) func timesAreCivil(milliseconds: Int64, expected: String)
        {
            #expect(Logfmt.time(milliseconds) == expected)
        }

        @Test func aRecordIsOneLine() throws {
            let pipe = try Posix.pipe()
            let log = Log(process: "bulkhead-test", level: .info, descriptor: pipe.second.raw)
            log.debug("not this")
            log.warning("job failed\nlevel=error", ["job id": "7", "why": "a\u{0}b"])
            let reader = pipe.keepFirst()
            let text = try readAll(reader.raw)
            let expected =
                #" level=warning daemon=bulkhead-test msg="job failed\nlevel=error" job_id=7 why="a\u{0}b""# + "\n"
            #expect(text.hasPrefix("time="))
            #expect(text.hasSuffix(expected))
            #expect(text.utf8.filter { $0 == 10 }.count == 1)
        }

        @Test func aHugeValueIsCut() {
            let log = Log(process: "x")
            let huge = String(repeating: "\u{0}", count: 1_000_000)
            let line = log.record(.info, huge, ["a": huge, "b": huge, "c": huge], at: 0)
            #expect(line.utf8.count < 64_000)
        }
    }
}
