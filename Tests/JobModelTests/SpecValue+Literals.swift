// Documents in tests are written as Swift literals.

package import Documents

extension SpecValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self.init(.string(value)) }
    package init(integerLiteral value: Int64) { self.init(.integer(value)) }
    package init(floatLiteral value: Double) { self.init(.float(value)) }
    package init(booleanLiteral value: Bool) { self.init(.bool(value)) }
    package init(nilLiteral: ()) { self.init(.null) }
    package init(arrayLiteral elements: SpecValue...) { self.init(.list(elements)) }
    package init(dictionaryLiteral elements: (String, SpecValue)...) {
        self.init(.map(elements.map { Entry(key: $0.0, value: $0.1) }))
    }
}
