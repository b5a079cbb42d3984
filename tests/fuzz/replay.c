/* Feeds every file of the folders (or files) named on the command line to a fuzz target, once each, in a
 * plain build: the kept corpus is a regression test of the normal suite. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t fed;

static int feed_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes;
    long n;

    if (!f || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0)
        return -1;
    rewind(f);
    bytes = malloc((size_t)n ? (size_t)n : 1); /* exact size: an over-read is the sanitizer's to see */
    if (!bytes || fread(bytes, 1, (size_t)n, f) != (size_t)n)
        return -1;
    (void)fclose(f);
    (void)LLVMFuzzerTestOneInput(bytes, (size_t)n);
    free(bytes);
    fed++;
    return 0;
}

static int feed(const char *path)
{
    char below[2048];
    struct dirent *e;
    DIR *d = opendir(path);
    int bad = 0;

    if (!d)
        return feed_file(path);
    while ((e = readdir(d)))
        if (e->d_name[0] != '.') {
            (void)snprintf(below, sizeof below, "%s/%s", path, e->d_name);
            bad |= feed_file(below);
        }
    (void)closedir(d);
    return bad;
}

int main(int argc, char **argv)
{
    const char *name = getenv("TEST_NAME");
    const char *dir = getenv("TEST_RAN_DIR");
    char path[1024];
    FILE *ran;

    for (int i = 1; i < argc; i++)
        if (feed(argv[i])) {
            (void)fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 1;
        }
    (void)printf("%zu inputs replayed\n", fed);
    if (fed && name && dir) {
        (void)snprintf(path, sizeof path, "%s/%s.ran", dir, name);
        ran = fopen(path, "w");
        if (ran) {
            (void)fprintf(ran, "%s:corpus\n", name);
            (void)fclose(ran);
        }
    }
    return fed ? 0 : 1;
}
