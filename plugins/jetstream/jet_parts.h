/* What the roles of this plugin have in common. */
#ifndef PARTI_PLUGINS_JET_PARTS_H
#define PARTI_PLUGINS_JET_PARTS_H

/* For the plugin's descriptor: answers the id of the consumer role. */
const void *jet_extension(const char *id);

/* NULL, or why that is no name of a stream, a bucket or a domain: static storage. */
const char *jet_name_fault(const char *name);

#endif
