// bulkhead: the command line. Everything is in BulkheadCLI.

import BulkheadCLI

if !Bulkhead.superviseIfAsked() { await Bulkhead.start() }
