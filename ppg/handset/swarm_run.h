/* push-terminal swarm: its options, and a swarm until a signal or the time is up.  One thread. */
#ifndef PPG_HANDSET_SWARM_RUN_H
#define PPG_HANDSET_SWARM_RUN_H

/* The words behind "swarm"; the exit status. */
int tool_swarm_run(int argc, char *const *argv);

#endif
