// Nothing to call: what is linked in stands in front of the C library's free and realloc (wiped_free.c).
