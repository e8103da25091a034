import Apple
// Deliberately bad: Tests/Check/check.sh insists that the linter rejects this file. A linter that accepts it checks
// nothing.
import Zebra;

func Bad() {
    let x = dictionary["key"]!
    try! risky(); _ = x
}
