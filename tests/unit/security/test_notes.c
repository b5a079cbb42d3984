/* Lists of lines told apart, against a twin that compares every line with every other. */
#include "tests/unit/harness.h"

#include "security/rules/notes.h"
#include "tests/unit/base/random.h"

static struct sec_notes notes_of(const char *text)
{
    struct sec_notes notes = {.n = 0};
    struct slice line, left = slice_str(text);
    bool more = left.n > 0;

    while (more) {
        more = slice_cut(left, '\n', &line, &left);
        CU_ASSERT(sec_notes_add(&notes, line) == ERR_OK);
    }
    return notes;
}

static const struct {
    const char *was, *is;
    size_t added, removed;
} rows[] = {
    {"", "", 0, 0},
    {"", "a", 1, 0},
    {"a", "", 0, 1},
    {"a\nb\nc", "c\na\nb", 0, 0},
    {"allow  mms\t+1* *", " allow mms +1* *  # who", 0, 0},
    {"allow mms +1* *", "allow mms +1 * *", 1, 1}, /* other words */
    {"ab c", "a bc", 1, 1},
    {"a\na", "a", 0, 1},
    {"a", "a\na\na", 2, 0},
    {"a\nb\nb\nc", "b\nc\nd\nd", 2, 2},
    {"a\nb", "A\nb", 1, 1},
};

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sec_notes was = notes_of(rows[i].was), is = notes_of(rows[i].is);
        size_t added = 77, removed = 77;

        test_row(i);
        sec_notes_changes(&was, &is, &added, &removed);
        CU_ASSERT_EQUAL(added, rows[i].added);
        CU_ASSERT_EQUAL(removed, rows[i].removed);
        sec_notes_clear(&was);
        sec_notes_clear(&is);
    }
}

/* Lines are single letters; how often each stands is counted by hand. */
static void test_twin(void)
{
    uint32_t state = 99;

    for (size_t round = 0; round < 300; round++) {
        size_t counts[2][26] = {{0}};
        struct sec_notes notes[2] = {{.n = 0}, {.n = 0}};
        size_t added = 0, removed = 0, want_added = 0, want_removed = 0;

        for (size_t side = 0; side < 2; side++)
            for (uint32_t n = random_below(&state, 200); n > 0; n--) {
                char letter = (char)('a' + random_below(&state, 26));

                counts[side][letter - 'a']++;
                CU_ASSERT(sec_notes_add(&notes[side], slice_of(&letter, 1)) == ERR_OK);
            }
        for (size_t i = 0; i < 26; i++) {
            want_added += counts[1][i] > counts[0][i] ? counts[1][i] - counts[0][i] : 0;
            want_removed += counts[0][i] > counts[1][i] ? counts[0][i] - counts[1][i] : 0;
        }
        test_row(round);
        sec_notes_changes(&notes[0], &notes[1], &added, &removed);
        CU_ASSERT(added == want_added && removed == want_removed);
        sec_notes_clear(&notes[0]);
        sec_notes_clear(&notes[1]);
    }
}

const struct test_case test_cases[] = {{"rows", test_rows}, {"twin", test_twin}, {NULL, NULL}};
