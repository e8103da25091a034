#ifndef CWIPE_H
#define CWIPE_H

#include <stddef.h>

#define BH_PROBE_SIZE 64

/// Whether a freed piece of the size of a secret is overwritten: 1, or 0.
int bh_free_wipes(void);

#endif
