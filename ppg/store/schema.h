/* The tables of the embedded engine as data: what each version of the schema adds to the one before.  schema.c
 * explains the tables, the order of writes and the recovery rule. */
#ifndef PPG_STORE_SCHEMA_H
#define PPG_STORE_SCHEMA_H

#define SCHEMA_APPLICATION_ID 0x50504753 /* "PPGS" in the file's header: a store of this program */
#define SCHEMA_VERSION        6          /* the file's user_version */

/* schema_steps[v] is SQL that turns version v into v + 1; step 0 makes the tables.  Each runs in the same
 * transaction as all others that one opening needs. */
extern const char *const schema_steps[SCHEMA_VERSION];

#endif
