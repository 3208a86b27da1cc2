/* What the roles of this plugin have in common. */
#ifndef PARTI_PLUGINS_JET_PARTS_H
#define PARTI_PLUGINS_JET_PARTS_H

#include "parti_consumer.h"

/* The messages of partitions: jet_consumer.c. */
const struct parti_consumer *jet_consumer_role(void);
const struct parti_fits *jet_consumer_fits(void);

/* NULL, or why that is no name of a stream, a bucket or a domain: static storage. */
const char *jet_name_fault(const char *name);

#endif
