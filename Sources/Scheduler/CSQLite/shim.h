#include <sqlite3.h>

// Before the first connection. SQLite counts what it allocates under a lock, and nobody asks. (Swift cannot call it
// itself: its number of arguments is not fixed.)
static inline int bh_sqlite_without_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
