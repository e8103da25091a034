// ForgeProblem: why a call came to nothing. No word of it comes from a forge.

package import Documents
package import Exchange

package enum ForgeProblem: Error, Equatable, Sendable {
    /// This forge has no such thing.
    case unsupported
    /// What was to be asked cannot be: this part of it is empty, too long or not what it has to be.
    case unusable(String)
    /// The token is none.
    case unauthorized
    /// The token may not.
    case forbidden
    case missing
    /// The forge is in another state than the call supposes.
    case conflict
    /// Another status below 500: the forge does not take what we said.
    case refused(status: Int)
    /// The forge is not well.
    case broken(status: Int)
    /// It wants to lead us elsewhere. Where a repository was moved, its address in the project is to be mended.
    case redirected
    case document(JSONReader.Refused)
    /// What stands at this path is missing, or not what it has to be.
    case field(String)
    /// It speaks of something else than it was asked.
    case foreign
    /// A list that does not end, or a file that is larger than any that was expected.
    case tooMuch

    /// Throws unless the answer is a good one.
    package static func check(_ answer: ExchangeAnswer) throws(ForgeProblem) {
        switch answer.status {
        case 200..<300: return
        case 300..<400: throw .redirected
        case 401: throw .unauthorized
        case 403: throw .forbidden
        case 404, 410: throw .missing
        case 409: throw .conflict
        case 400..<500: throw .refused(status: answer.status)
        default: throw .broken(status: answer.status)
        }
    }
}
