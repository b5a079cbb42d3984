/* ppg.conf as a table: one row per key says what it is called, what it may be, what it is unless set, and where the
 * value goes.  Reading, the list of unknown keys and --help-config all follow from the table.  Off the loops. */
#ifndef PPG_CONFIG_SCHEMA_H
#define PPG_CONFIG_SCHEMA_H

#include "base/arena.h"
#include "base/slice.h"
#include "ppg/config/ini.h"
#include "ppg/settings.h"

/* Reads the text of ppg.conf into *out, defaults first; tells every mistake and goes on.  File names come out
 * absolute or below the folder of `file`.  With `look` every file that the gateway will read is looked at: missing
 * ones, and private keys that everybody may read, are mistakes; without, no file is touched.  Strings live in
 * `strings`. */
void ppg_schema_read(struct ppg_load *load, struct slice text, const char *file, bool look,
                     struct arena *strings, struct ppg_settings *out);

/* Calls fn for every file of certificates, keys and the like that the settings name, with the key and the line that do. */
typedef void ppg_schema_file_fn(const char *path, const char *key, uint32_t line, void *arg);
void ppg_schema_each_file(const struct ppg_settings *s, ppg_schema_file_fn *fn, void *arg);

/* The line of ppg.conf that has this key; 0: none has. */
uint32_t ppg_schema_line(const struct ppg_settings *s, const char *section, const char *name);

/* Calls fn for every key that only a start can change and whose value is another now. */
typedef void ppg_schema_key_fn(const char *section, const char *key, void *arg);
void ppg_schema_each_at_start(const struct ppg_settings *was, const struct ppg_settings *is,
                              ppg_schema_key_fn *fn, void *arg);

#endif
