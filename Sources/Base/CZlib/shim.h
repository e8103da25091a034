// zlib's inflate, whose start is a macro that Swift cannot call. For courierd.
#pragma once

#include <zlib.h>

/// Begins to read gzip, and nothing else that zlib knows: 16 is "gzip only", 15 its largest window.
static inline int bh_gunzip_start(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
