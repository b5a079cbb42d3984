/* The configuration files of a scenario: ppg.conf from its settings, terminals.conf, subscribers.conf and a file per
 * association from its terminals.  Nobody may log in: submissions enter behind those checks. */
#include "tests/replay/replay_world.h"

#include <stdio.h>
#include <sys/stat.h>

static FILE *file_open(struct replay_world *w, const char *name, char path[300])
{
    FILE *f;

    (void)snprintf(path, 300, "%s/%s", w->folder, name);
    f = fopen(path, "w");
    if (!f)
        (void)snprintf(w->why, sizeof w->why, "cannot write %s", path);
    return f;
}

static bool write_association(struct replay_world *w, const struct replay_terminal *t, const char *name)
{
    char path[300];
    char said[33];
    char key[65];
    FILE *f = file_open(w, name, path);

    if (!f)
        return false;
    replay_net_said(w->net, t, said);
    replay_net_key(w->net, t, key);
    (void)fprintf(f, "said = %s\nkey = %s\nsuites = %s\nexpires = %s\n", said, key,
                  t->suites ? t->suites : "aes-gcm, hmac-sha256", t->expires ? t->expires : "never");
    return fclose(f) == 0 && chmod(path, S_IRUSR | S_IWUSR) == 0;
}

static bool write_terminal(struct replay_world *w, FILE *f, const struct replay_terminal *t)
{
    char name[40];

    (void)fprintf(f, "[terminal %s]\nmax-size = %zu\n", t->key, t->max_size);
    if (!t->fetches)
        (void)fprintf(f, "route = %s%s://terminal.example:1\n", t->datagrams ? "wap" : "http",
                      t->tls ? "s" : "");
    if (t->away)
        (void)fprintf(f, "calls-in = any\ncall-proof = none\nwake = wap://sleep.example\n");
    if (t->registers)
        (void)fprintf(f, "registers = any\ncall-proof = digest\ncall-password-file = password\n");
    if (t->inbox || t->fetches)
        (void)fprintf(f, "inbox = yes\ncall-proof = certificate\ncall-certificate = DNS:%s\n", t->key);
    if (t->maced)
        (void)fprintf(f, "mac-user = ppg\nmac-key-file = mac-key\n");
    if (t->xml)
        (void)fprintf(f, "xml-name = ppg\nxml-key-file = xml-keys\n");
    if (!t->sealed)
        return true;
    (void)snprintf(name, sizeof name, "association-%zu", (size_t)(t - w->net->terminals));
    (void)fprintf(f, "association-file = %s\n", name);
    return write_association(w, t, name);
}

static bool write_digits(struct replay_world *w, const char *name, int digits)
{
    char path[300];
    FILE *f = file_open(w, name, path);

    return f && fprintf(f, "%0*d\n", digits, 7) > 0 && fclose(f) == 0 && chmod(path, S_IRUSR | S_IWUSR) == 0;
}

static bool write_terminals(struct replay_world *w)
{
    char path[300];
    FILE *f = file_open(w, "terminals.conf", path);
    bool good = f != NULL;

    for (size_t i = 0; good && i < w->net->terminals_n; i++)
        if (w->net->terminals[i].present)
            good = write_terminal(w, f, &w->net->terminals[i]);
    return f && fclose(f) == 0 && good;
}

static bool write_subscribers(struct replay_world *w)
{
    char path[300], impi[REPLAY_NAME_N], k[33];
    FILE *f = file_open(w, "subscribers.conf", path);

    for (size_t i = 0; f && i < w->net->terminals_n; i++) {
        const struct replay_terminal *t = &w->net->terminals[i];

        if (!t->present || !t->gba)
            continue;
        replay_net_impi(w->net, t, impi);
        replay_net_k(w->net, t, k);
        (void)fprintf(f, "[subscriber %s]\nidentity = %s\nk = %s\nopc = %s\n", impi, t->key, k, k);
    }
    return f && fclose(f) == 0 && chmod(path, S_IRUSR | S_IWUSR) == 0;
}

/* Of those that register. */
static bool write_password(struct replay_world *w)
{
    char path[300];
    FILE *f = file_open(w, "password", path);

    return f && fputs("sesame\n", f) > 0 && fclose(f) == 0 && chmod(path, S_IRUSR | S_IWUSR) == 0;
}

static bool write_empty(struct replay_world *w, const char *name)
{
    char path[300];
    FILE *f = file_open(w, name, path);

    return f && fclose(f) == 0;
}

bool replay_conf_write(struct replay_world *w, char path[300])
{
    const char *section = "";
    FILE *f;

    if (!write_digits(w, "mac-key", 64) || !write_digits(w, "xml-keys", 128) || !write_password(w) ||
        !write_terminals(w) || !write_subscribers(w) || !write_empty(w, "initiators.conf") ||
        !write_empty(w, "whitelist.conf"))
        return false;
    f = file_open(w, "ppg.conf", path);
    if (!f)
        return false;
    for (size_t i = 0; i < w->settings_n; i++) {
        if (strcmp(section, w->settings[i].section) != 0)
            (void)fprintf(f, "[%s]\n", w->settings[i].section);
        section = w->settings[i].section;
        (void)fprintf(f, "%s = %s\n", w->settings[i].key, w->settings[i].value);
    }
    return fclose(f) == 0;
}
