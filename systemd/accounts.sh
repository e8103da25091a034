#!/bin/sh
# Prints the numbers of the daemons' users, for bulkhead-accounts.service. Fails if one is missing: nothing starts then.
set -eu
for role in API:api SCHED:sched SPAWN:spawn RELAY:relay BROKER:broker COURIER:courier; do
    printf 'BULKHEAD_%s_UID=' "${role%:*}"
    id -u "bulkhead-${role#*:}"
done
