// The root of Link's tests. One at a time: many of them count this process' descriptors.

import Testing

@Suite(.serialized) enum LinkTests {}
