/* The gateway program: options, one-time process set-up, and server.h's story.  Exit status: 0 ended in order or
 * the configuration is good, 1 it is not or start-up failed, 2 usage. */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ppg/json_wipe.h"
#include "ppg/logfile.h"
#include "ppg/server.h"
#include "security/xml/xmlsec.h"

#define LOG_QUEUE_N ((size_t)4 << 20)
#define MALLOC_STEP_N                                                                                        \
    (1 << 20) /* octets the heaps grow by: batches come and go, a system call each would cost more */

static const char usage_text[] =
    "usage: ppgd -c FILE [--check-config]\n"
    "       ppgd --help-config | --version | --help\n"
    "\n"
    "  -c, --config FILE   configuration (see --help-config)\n"
    "  --check-config      read everything, say every fault as file:line: key: what, and exit 0 or 1\n"
    "  --help-config       print every key with its meaning, range and default, as a configuration file\n"
    "\n"
    "Signals: TERM and INT finish what is on the wire and end; HUP reads the configuration anew,\n"
    "whole or not at all, and opens the file of the log anew.\n";

enum { OPT_CHECK = 256, OPT_HELP_CONFIG, OPT_VERSION, OPT_HELP };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"help-config", no_argument, NULL, OPT_HELP_CONFIG},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Of a start they go where a log may go; to whoever asks for a check, whole. */
static void print_errors(const struct ppg_config_errors *errs, bool whole)
{
    char bare[512];

    for (size_t i = 0; i < errs->n; i++) {
        ppg_config_error_bare(errs, i, bare);
        (void)fprintf(stderr, "%s\n", whole ? errs->text[i] : bare);
    }
    if (errs->more)
        (void)fprintf(stderr, "and %zu more\n", errs->more);
}

/* What a core file holds (core(5)); the file is this process's own only while it is dumpable. */
static void core_filter(const char *mask)
{
    int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, mask, strlen(mask));
    (void)close(fd);
}

/* No core file: nor does one that root makes from outside hold the heap or a stack, where keys and content are. */
static void cores_off(void)
{
    struct rlimit cores;

    core_filter("0");
    if (!getrlimit(RLIMIT_CORE, &cores)) {
        cores.rlim_cur = 0; /* the hard limit stays: cores_on may need it */
        (void)setrlimit(RLIMIT_CORE, &cores);
    }
    (void)prctl(PR_SET_DUMPABLE, 0);
}

/* Back to what the system does; the areas of security/secret.h stay out all the same. */
static void cores_on(const struct rlimit *was)
{
    (void)prctl(PR_SET_DUMPABLE, 1);
    (void)setrlimit(RLIMIT_CORE, was);
    core_filter("0x33");
}

/* Files stay private, a closed pipe is an error code and not a death, and there are as many descriptors as the system
 * allows. */
static void process_setup(void)
{
    struct rlimit files;

    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)mallopt(M_TOP_PAD, MALLOC_STEP_N);
    (void)mallopt(M_TRIM_THRESHOLD, 4 * MALLOC_STEP_N);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int serve(struct ppg_snapshot *snapshot)
{
    const struct ppg_settings *set = ppg_config_settings(snapshot->config);
    struct log_conf conf = {.level = set->log.level,
                            .format = set->log.format,
                            .identities = set->log.identities,
                            .queue_n = LOG_QUEUE_N};
    struct log *log = NULL;
    struct ppg_server *server = NULL;
    char why[256];

    if (ppg_logfile_open(set->log.file, &conf.fd) || log_create(&conf, &clk_real, &log)) {
        (void)fprintf(stderr, "ppgd: cannot write the log %s\n", set->log.file ? set->log.file : "");
        return 1;
    }
    if (ppg_server_create(snapshot, log, &server, why)) {
        (void)fprintf(stderr, "ppgd: %s\n", why);
        log_flush(log);
        return 1;
    }
    ppg_server_run(server);
    ppg_server_free(&server);
    log_free(&log);
    return 0;
}

/* With the library of XML security, which wants to be there before threads are. */
static int secured(struct ppg_snapshot *snapshot)
{
    int status = 1;

    if (sec_xml_start())
        (void)fputs("ppgd: the library of XML security does not start\n", stderr);
    else
        status = serve(snapshot);
    sec_xml_stop();
    return status;
}

static int run(const char *path, bool check_only)
{
    struct ppg_snapshot *snapshot = NULL;
    struct ppg_config_errors *errs = calloc(1, sizeof *errs);
    struct rlimit cores = {0, 0};
    int status = 1;

    if (!errs)
        return 1;
    process_setup();
    (void)getrlimit(RLIMIT_CORE, &cores);
    cores_off();
    if (ppg_snapshot_load(path, &snapshot, errs)) {
        print_errors(errs, check_only);
    } else if (check_only) {
        (void)printf("%s: good\n", path);
        status = 0;
    } else {
        if (ppg_config_settings(snapshot->config)->gateway.core_dumps)
            cores_on(&cores);
        status = secured(snapshot);
    }
    ppg_snapshot_drop(&snapshot);
    free(errs);
    return status;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    bool check_only = false;
    int opt;

    ppg_json_wipe();
    while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (opt) {
        case 'c':
            path = optarg;
            break;
        case OPT_CHECK:
            check_only = true;
            break;
        case OPT_HELP_CONFIG:
            ppg_config_help(stdout);
            return 0;
        case OPT_VERSION:
            (void)printf("ppgd %s\n", PPG_VERSION);
            return 0;
        case OPT_HELP:
            (void)fputs(usage_text, stdout);
            return 0;
        default:
            (void)fputs(usage_text, stderr);
            return 2;
        }
    }
    if (!path || optind < argc) {
        (void)fputs(usage_text, stderr);
        return 2;
    }
    return run(path, check_only);
}
