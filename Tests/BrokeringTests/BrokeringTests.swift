// The suites of this target stand in one, so that `--filter BrokeringTests` finds them and what they share is seen.

import Testing

@Suite struct BrokeringTests {}
