// StoreBench: schedulerd's database alone, through the very transactions that schedulerd makes; Tests/Bench/durable.py
// puts the numbers side by side. Without a word of its own it prints numbers, a line each.

import Glibc

func usage() -> Never {
    print(
        """
        usage: store-bench durable PATH JOBS SHARE      nanoseconds of each job's insert, claim and finish
               store-bench fill PATH JOBS PROJECTS POOLS [drain]
               store-bench dispatch PATH COUNT POOL     for each line on stdin: COUNT times 'claim commit', and 'done'
               store-bench fair PATH COUNT              how often each project was served, in COUNT dispatches
               store-bench pages PATH COUNT             nanoseconds of a page: the newest, the middle, an old one
        """)
    exit(64)
}

let arguments = Array(CommandLine.arguments.dropFirst())
func number(_ index: Int) -> Int {
    guard index < arguments.count, let number = Int(arguments[index]) else { usage() }
    return number
}
guard arguments.count >= 3 else { usage() }
let desk = try Desk(path: arguments[1])
switch arguments[0] {
case "durable": try durable(desk, jobs: number(2), share: number(3))
case "fill": try fill(desk, jobs: number(2), projects: number(3), pools: number(4), drain: arguments.last == "drain")
case "dispatch": try dispatch(desk, count: number(2), pool: number(3))
case "fair": try fairness(desk, count: number(2))
case "pages": try pages(desk, count: number(2))
default: usage()
}
