// zlib's inflate and deflate, whose starts are macros that Swift cannot call. For courierd.
#pragma once

#include <zlib.h>

/// Begins to read gzip, and nothing else that zlib knows: 16 is "gzip only", 15 its largest window.
static inline int bh_gunzip_start(z_stream *stream) { return inflateInit2(stream, 15 + 16); }

/// Begins to read what a zip archive holds: deflate without a head or an end, for which the window is negative.
static inline int bh_inflate_start(z_stream *stream) { return inflateInit2(stream, -15); }

/// Begins to write the same.
static inline int bh_deflate_start(z_stream *stream) {
    return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}
