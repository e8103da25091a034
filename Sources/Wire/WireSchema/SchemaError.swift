// What is wrong with a schema, with the place: the writer of a .wire file reads this, nobody else.

/// One mistake. `description` is "file:line: what".
package struct SchemaError: Error, Hashable, CustomStringConvertible {
    package let file: String
    package let line: Int
    package let message: String

    package init(file: String, line: Int, message: String) {
        self.file = file
        self.line = line
        self.message = message
    }

    package var description: String { "\(file):\(line): \(message)" }
}
