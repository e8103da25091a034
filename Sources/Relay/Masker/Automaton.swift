// The patterns as an Aho-Corasick automaton: a trie, laid out in preorder, and for each node where to go on when the
// next byte is none of its children's.

/// A state is the number of a node: the longest end of the text that is the beginning of a pattern. 0 is the root.
final class Automaton {
    typealias State = UInt32

    /// 16 bytes, so that a node and its first child mostly lie in one line of the cache.
    struct Node: BitwiseCopyable {
        /// The longest end of this node's text, shorter than it, that may still become a pattern.
        var failure: State = 0
        /// The next child of the same parent; 0: none. The first child of a node is the node behind it.
        var sibling: State = 0
        /// Bytes from the root: the longest pattern has 6 * 8192.
        var depth: UInt16 = 0
        /// Length of the longest pattern that ends here; 0: none.
        var match: UInt16 = 0
        var byte: UInt8 = 0
    }

    /// One more than there are nodes: what follows the last one is no child.
    private let nodes: WipedRegion<Node>
    /// Where each first byte leads.
    private let root = WipedRegion<State>(capacity: 256)
    let skip: SkipTable

    init(_ patterns: Patterns) {
        let order = AutomatonOrder(patterns)
        nodes = WipedRegion(capacity: min(patterns.bytes.count, 1 << 16) + 2)
        root.appendZeros(256)
        skip = SkipTable(patterns)
        nodes.append(Node())
        addTrie(patterns, order)
        nodes.append(Node())
        addFailures()
    }

    /// Bytes of the text that `state` stands for.
    @inline(__always)
    func depth(_ state: State) -> Int { Int(nodes.base[Int(state)].depth) }

    /// The length of the longest pattern that ends in `state`.
    @inline(__always)
    func match(_ state: State) -> Int { Int(nodes.base[Int(state)].match) }

    /// A whole pattern that no pattern goes beyond.
    @inline(__always)
    func isLeaf(_ state: State) -> Bool {
        nodes.base[Int(state) + 1].depth <= nodes.base[Int(state)].depth
    }

    /// Where to go on from a leaf.
    @inline(__always)
    func failure(_ state: State) -> State { nodes.base[Int(state)].failure }

    /// The node for the next byte. `state` is no leaf; the result may be one, and is to be left through `failure`
    /// when its match has been taken.
    @inline(__always)
    func next(_ state: State, _ byte: UInt8) -> State {
        let nodes = nodes.base
        var state = Int(state)
        while state != 0 {
            var child = state + 1
            while true {
                if nodes[child].byte == byte { return State(truncatingIfNeeded: child) }
                child = Int(nodes[child].sibling)
                if child == 0 { break }
            }
            state = Int(nodes[state].failure)
        }
        return root.base[Int(byte)]
    }

    // MARK: building

    /// Sorted patterns give preorder: a pattern's nodes follow those that it shares with the one before it.
    private func addTrie(_ patterns: Patterns, _ order: AutomatonOrder) {
        // The nodes on the way to the end of the last pattern, the root first.
        let path = WipedRegion<State>(capacity: 1024)
        path.append(0)
        for index in 0..<order.count {
            let pattern = order.pattern(index)
            let shared = index == 0 ? 0 : order.shared(index - 1, index)
            // The child that ends where the two part has a sibling now.
            var elder = shared + 1 < path.count ? path.base[shared + 1] : 0
            path.truncate(to: shared + 1)
            for position in shared..<pattern.count {
                let node = State(nodes.count)
                if elder != 0 { nodes.base[Int(elder)].sibling = node }
                elder = 0
                if position == 0 { root.base[Int(pattern[0])] = node }
                nodes.append(Node(depth: UInt16(position + 1), byte: pattern[position]))
                path.append(node)
            }
            let end = path.base[path.count - 1]
            nodes.base[Int(end)].match = UInt16(pattern.count)
        }
    }

    /// In the order of depth, since a node's failure is found by its parent's.
    private func addFailures() {
        let parents = WipedRegion<State>(capacity: nodes.count)
        let order = nodesByDepth(parents)
        for index in 0..<order.count {
            let node = order.base[index]
            let parent = parents.base[Int(node)]
            guard parent != 0 else { continue }
            // The root's own children stay at failure 0.
            let end = next(nodes.base[Int(parent)].failure, nodes.base[Int(node)].byte)
            let matchOfEnd = nodes.base[Int(end)].match
            if nodes.base[Int(node)].match == 0 { nodes.base[Int(node)].match = matchOfEnd }
            nodes.base[Int(node)].failure = isLeaf(end) ? nodes.base[Int(end)].failure : end
        }
    }

    /// All nodes but the root; `parents` becomes the parent of each.
    private func nodesByDepth(_ parents: WipedRegion<State>) -> WipedRegion<State> {
        let path = WipedRegion<State>(capacity: 1024)
        let starts = WipedRegion<Int>(capacity: 1024)
        parents.appendZeros(nodes.count)
        let last = nodes.count - 1
        for node in 0..<last {
            let depth = Int(nodes.base[node].depth)
            if path.count > depth { path.truncate(to: depth) }
            path.append(State(node))
            if depth > 0 { parents.base[node] = path.base[depth - 1] }
            if starts.count < depth + 2 { starts.appendZeros(depth + 2 - starts.count) }
            starts.base[depth + 1] += 1
        }
        for depth in 1..<starts.count { starts.base[depth] += starts.base[depth - 1] }
        let order = WipedRegion<State>(capacity: last)
        order.appendZeros(last)
        for node in 0..<last {
            let depth = Int(nodes.base[node].depth)
            order.base[starts.base[depth]] = State(node)
            starts.base[depth] += 1
        }
        order.removeFirst(1)
        return order
    }
}
