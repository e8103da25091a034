// The first process of a job's container; see RunnerCore.

import RunnerCore

RunnerProgram.main(CommandLine.arguments)
