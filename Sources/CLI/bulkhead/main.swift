// bulkhead: the command line. Everything is in BulkheadCLI.

import BulkheadCLI

if !Bulkhead.runSupervisor() { await Bulkhead.main() }
