/* JSON that may hold keys: whatever jansson gives back is wiped first, so that no copy of a text it read or printed stays
 * behind in the heap.  Said once at the start of a program, before there are threads. */
#ifndef PPG_JSON_WIPE_H
#define PPG_JSON_WIPE_H

/* For the whole process, from now on. */
void ppg_json_wipe(void);
/* What of a block of malloc() may have been written to, wiped; the block stays.  For tests. */
void ppg_json_wipe_block(void *p);

#endif
