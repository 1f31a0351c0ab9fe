// SPDX-License-Identifier: Apache-2.0
// Import: every form of docs/import.md, positions of mistakes, nothing left behind.
#include "store/fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include <fewer/trace.h>

#include "model/manifest.h"
#include "store/trace.h"

// A zoo without a manifest: what an import looks at.
static void open_zoo(struct few_zoo *zoo, const struct few_mem *mem)
{
    memset(zoo, 0, sizeof *zoo);
    zoo->env.mem = mem;
    zoo->path = "zoo.yaml";
    few__arena_init(&zoo->arena, NULL, 1 << 20);
    zoo->catalog = fix_catalog(&zoo->arena);
}

static enum few_status import_text(const char *text, struct few_import_stats *stats, struct few_error *err)
{
    struct few_zoo zoo;
    open_zoo(&zoo, NULL);
    t_write(t_path("in.jsonl"), text, strlen(text));
    enum few_status status = few_import(t_path("in.jsonl"), &zoo, t_path("out.db"), true, stats, err);
    few__arena_finish(&zoo.arena);
    return status;
}

static struct few__trace *imported(const char *text)
{
    struct few_error err;
    struct few__trace *trace;
    assert_status(import_text(text, NULL, &err), FEW_OK, &err);
    assert_status(few__trace_load(t_path("out.db"), true, NULL, &trace, &err), FEW_OK, &err);
    return trace;
}

static const struct few__trace_cell *output_of(struct few__trace *trace, size_t model, struct few_output *out)
{
    struct few_error err;
    const struct few__trace_cell *cell = few__trace_cell(trace, 0, model);
    assert_non_null(cell->packed);
    assert_status(few__trace_unpack(&trace->catalog.models[model], cell->packed, cell->n_packed,
                                    &trace->arena, out, &err),
                  FEW_OK, &err);
    return cell;
}

// The output of a model on a line that says this of it alone.
static struct few__trace *one(size_t model, const char *said, struct few_output *out)
{
    static const char *const names[MODELS] = {"scene", "tags", "objects", "objects_big", "face",
                                              "age",   "pose", "words",   "hand"};
    char text[512];
    snprintf(text, sizeof text, "{\"item\":\"a.jpg\",\"models\":{\"%s\":%s}}\n", names[model], said);
    struct few__trace *trace = imported(text);
    assert_int_equal(output_of(trace, model, out)->outcome, FEW_EXECUTED);
    return trace;
}

static void test_labels(void **state)
{
    (void)state;
    struct few_output out;
    t_tmpdir();
    struct few__trace *trace = one(SCENE, "{\"ran\":true,\"valuable\":[[2,0.75],[0,0.25],[2,0.5]]}", &out);
    assert_near_all(out.values, ((const float[]){0.25f, 0, 0.75f}), 3, 0);
    assert_near(out.confidence, 0.75, 0);
    assert_false(out.empty);
    few__trace_free(trace);
    trace = one(TAGS, "{\"labels\":[0.125,1],\"valuable\":[[0,0.9]]}", &out);
    assert_near_all(out.values, ((const float[]){0.125f, 1}), 2, 0);
    few__trace_free(trace);
    trace = one(TAGS, "{\"labels\":null,\"valuable\":[]}", &out);
    assert_near_all(out.values, ((const float[]){0, 0}), 2, 0);
    assert_false(out.empty);
    few__trace_free(trace);
}

static void test_detections(void **state)
{
    (void)state;
    struct few_output out;
    t_tmpdir();
    struct few__trace *trace =
        one(OBJECTS, "{\"detections\":[[0,0.25,0.5,0.5,0.25,0.5],[1,0.75,0.9,-0.1,0.5,0.35]]}", &out);
    assert_int_equal(out.n, 2);
    assert_int_equal(out.detections[0].label, 1); // by falling confidence
    assert_near_all(out.detections[0].box, ((const float[]){0.9f, 0, 0.1f, 0.25f}), 4, 1e-6);
    assert_near(out.detections[0].area, 0.025, 1e-6);
    assert_near(out.detections[1].area, 0.125, 0);
    assert_near(out.confidence, 0.75, 0);
    few__trace_free(trace);
    trace = one(OBJECTS, "{\"detections\":[]}", &out);
    assert_true(out.empty);
    assert_int_equal(out.n, 0);
    few__trace_free(trace);
    trace = one(OBJECTS, "{\"valuable\":[[0,0.125],[1,0.875],[2,0.99]]}", &out); // void is a null label
    assert_int_equal(out.n, 3);
    assert_int_equal(out.detections[1].label, 1);
    assert_near_all(out.detections[1].box, ((const float[]){0, 0, 0, 0}), 4, 0);
    const struct few__trace_cell *cell = few__trace_cell(trace, 0, OBJECTS);
    assert_int_equal(cell->n_valuable, 1);
    assert_near(cell->valuable[0].confidence, 0.875, 0);
    few__trace_free(trace);
    trace = one(OBJECTS, "{\"labels\":[0,0,0]}", &out);
    assert_true(out.empty);
    few__trace_free(trace);
}

static void test_boxes(void **state)
{
    (void)state;
    struct few_output out;
    t_tmpdir();
    struct few__trace *trace = one(FACE, "{\"bbox\":[0.25,0.5,0.5,0.25],\"conf\":0.875,\"n\":3}", &out);
    assert_int_equal(out.n, 1);
    assert_near(out.detections[0].confidence, 0.875, 0);
    assert_near(out.detections[0].area, 0.125, 0);
    assert_near(out.confidence, 0.875, 0);
    few__trace_free(trace);
    static const char *const nothing[] = {"{\"conf\":0.25,\"n\":0}", "{\"bbox\":null,\"conf\":0.25}",
                                          "{\"scalar\":0,\"n\":0}", "{\"scalar\":0}"};
    for (size_t i = 0; i < 4; i++) {
        trace = one(FACE, nothing[i], &out);
        assert_true(out.empty);
        assert_int_equal(out.n, 0);
        assert_near(out.confidence, 0, 0); // as a model that finds nothing here
        few__trace_free(trace);
    }
    trace = one(FACE, "{\"scalar\":0.0625,\"n\":4}", &out); // regions: their share of the image
    assert_int_equal(out.n, 1);
    assert_near(out.detections[0].area, 0.0625, 0);
    assert_near(out.detections[0].box[2], 0, 0);
    assert_int_equal(few__trace_cell(trace, 0, FACE)->n_valuable, 1);
    few__trace_free(trace);
    trace = one(HAND, "{\"bbox\":[0.25,0.5,0.5,0.25],\"conf\":0.5}", &out);
    assert_near_all(out.values, ((const float[]){0.25f, 0.5f, 0.5f, 0.25f}), 4, 0);
    assert_near(out.confidence, 0.5, 0);
    few__trace_free(trace);
    trace = one(HAND, "{\"bbox\":null}", &out);
    assert_true(out.empty);
    few__trace_free(trace);
}

static void test_numbers_and_words(void **state)
{
    (void)state;
    struct few_output out;
    t_tmpdir();
    struct few__trace *trace = one(AGE, "{\"scalar\":-41.5}", &out);
    assert_near(out.values[0], -41.5, 0);
    assert_int_equal(out.n, 1);
    few__trace_free(trace);
    trace = one(POSE, "{\"scalar\":1,\"vector\":[1,-2.5,3e2]}", &out);
    assert_near_all(out.values, ((const float[]){1, -2.5f, 300}), 3, 0);
    few__trace_free(trace);
    trace = one(WORDS, "{\"sequence\":[\"\\u00e9\",\"a\",2],\"text\":\"ea \",\"conf\":0.625}", &out);
    assert_int_equal(out.n, 3);
    assert_memory_equal(out.tokens, ((const int32_t[]){3, 0, 2}), 12);
    assert_near(out.confidence, 0.625, 0);
    few__trace_free(trace);
    trace = one(WORDS, "{\"sequence\":[],\"text\":\"\",\"conf\":0}", &out);
    assert_true(out.empty);
    few__trace_free(trace);
}

static void test_what_did_not_run(void **state)
{
    (void)state;
    struct few_output out;
    t_tmpdir();
    struct few__trace *trace = imported(
        "{\"image\":\"a.jpg\",\"w\":20,\"h\":10,\"models\":{\"face\":{\"conf\":0,\"n\":0,\"ran\":true},"
        "\"age\":{\"ran\":false},\"pose\":{\"ran\":false,\"error\":\"broke\"},\"tags\":{\"ran\":false}}}");
    assert_int_equal(output_of(trace, AGE, &out)->outcome, FEW_SKIPPED);
    assert_true(few__trace_cell(trace, 0, AGE)->empty);
    assert_int_equal(few__trace_cell(trace, 0, POSE)->outcome, FEW_FAILED);
    assert_int_equal(few__trace_cell(trace, 0, TAGS)->outcome, FEW_FAILED);
    assert_int_equal(few__trace_cell(trace, 0, SCENE)->outcome, FEW_SKIPPED);
    assert_false(few__trace_cell(trace, 0, SCENE)->empty);
    few__trace_free(trace);
    struct few__store *store;
    struct few__item_row item;
    struct few__cell cells[MODELS];
    assert_int_equal(few__store_open(t_path("out.db"), NULL, &store, NULL), FEW_OK);
    assert_int_equal(few__store_rewind(store, false, NULL), FEW_OK);
    assert_int_equal(few__store_next(store, &item, cells, NULL), FEW_OK);
    assert_int_equal(item.width, 20);
    assert_int_equal(item.height, 10);
    assert_string_equal(cells[AGE].reason, "its need face found nothing");
    assert_string_equal(cells[POSE].reason, "broke");
    assert_string_equal(cells[TAGS].reason, "did not run");
    assert_string_equal(cells[SCENE].reason, "not in the imported line");
    assert_int_equal(cells[SCENE].start_us, -1);
    assert_string_equal(few__store_purpose(store), "trace");
    assert_string_equal(few__store_zoo_path(store), "zoo.yaml");
    few__store_close(store, NULL);
}

static void test_times_and_counts(void **state)
{
    (void)state;
    struct few_import_stats stats;
    struct few_error err;
    struct few__trace *trace;
    t_tmpdir();
    assert_status(
        import_text(
            "{\"image\":\"a\",\"load_ms\":2,\"models\":{\"scene\":{\"labels\":[1,0,0]},"
            "\"tags\":{\"labels\":[1,0],\"ms\":1.5,\"pre_ms\":0.25,\"post_ms\":0.5},\"unheard\":{}}}\n"
            "\n  \t\r\n"
            "{\"image\":\"b\",\"error\":\"cut short\"}\n"
            "{\"image\":\"c\",\"models\":{\"tags\":{\"labels\":[1,0],\"ms\":0.75},\"other\":1}}",
            &stats, &err),
        FEW_OK, &err);
    assert_int_equal(stats.items, 3);
    assert_int_equal(stats.items_failed, 1);
    assert_int_equal(stats.outputs, 3);
    assert_int_equal(stats.unknown, 2);
    assert_int_equal(few__trace_load(t_path("out.db"), false, NULL, &trace, NULL), FEW_OK);
    assert_int_equal(trace->n_items, 2);
    assert_int_equal(trace->n_failed, 1);
    assert_int_equal(trace->items[0].decode_us, 2000);
    assert_int_equal(few__trace_cell(trace, 0, SCENE)->time_us, 1500); // of the zoo
    assert_int_equal(few__trace_cell(trace, 0, TAGS)->time_us, 2250);
    assert_int_equal(few__trace_cell(trace, 1, TAGS)->time_us, 750);
    few__trace_free(trace);
    struct few__store *store;
    assert_int_equal(few__store_open(t_path("out.db"), NULL, &store, NULL), FEW_OK);
    assert_int_equal(few__store_catalog(store)->models[TAGS].cost.time_us, 1500); // the mean
    assert_int_equal(few__store_catalog(store)->models[SCENE].cost.time_us, 1500);
    few__store_close(store, NULL);
}

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"{\"image\":\"a\",}", "in.jsonl:2:14: expected JSON: "},
    {"[1]", "in.jsonl:2:1: expected an object, found an array"},
    {"{\"image\":\"a\"", "in.jsonl:2:12: expected JSON: "},
    {"{\"image\":\"a\",\"image\":\"b\"}", "in.jsonl:2:20: expected JSON: "},
    {"{\"models\":{}}", "in.jsonl:2:1: item: expected a path"},
    {"{\"image\": 7,\"models\":{}}", "in.jsonl:2:11: image: expected a path"},
    {"{\"item\":\"\",\"models\":{}}", "in.jsonl:2:9: item: expected a path"},
    {"{\"item\":\"a\"}", "in.jsonl:2:1: models: expected an object, found nothing"},
    {"{\"item\":\"a\",\"models\":[]}", "in.jsonl:2:22: models: expected an object, found an array of 0"},
    {"{\"item\":\"a\",\"w\":-1,\"models\":{}}",
     "in.jsonl:2:17: w: expected a number from 0 to 1e+09, found -1"},
    {"{\"item\":\"models\",\"models\":{\"tags\":5}}", "in.jsonl:2:35: tags: expected an object, found 5"},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"ran\":1}}}", "in.jsonl:2:37: tags.ran: expected true or false"},
    {"{\"item\":\"a\",\"models\":{\"tags\":{}}}", "in.jsonl:2:30: tags: expected \"labels\" or \"valuable\""},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"labels\":[1]}}}",
     "in.jsonl:2:40: tags.labels: expected an array of 2, found an array of 1"},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"labels\":[1,1.5]}}}",
     "tags.labels: expected numbers from 0 to 1, found 1.5 at 1"},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"valuable\":[[2,0.5]]}}}",
     "in.jsonl:2:42: tags.valuable: expected [index below 2, confidence"},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"valuable\":[[-1,0.5]]}}}", "tags.valuable: "},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"valuable\":[[0,0.5,1]]}}}", "tags.valuable: "},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"valuable\":{}}}}", "tags.valuable: expected an array"},
    {"{\"item\":\"a\",\"models\":{\"tags\":{\"labels\":[1,1],\"ms\":-3}}}",
     "tags.ms: expected a number from 0"},
    {"{\"item\":\"a\",\"models\":{\"face\":{}}}", "face: expected \"detections\""},
    {"{\"item\":\"a\",\"models\":{\"face\":{\"bbox\":[1,2,3]}}}", "face.bbox: expected [x, y, w, h]"},
    {"{\"item\":\"a\",\"models\":{\"face\":{\"bbox\":[0,0,-1,1]}}}", "face.bbox: expected [x, y, w, h]"},
    {"{\"item\":\"a\",\"models\":{\"face\":{\"bbox\":[0,0,1,1],\"conf\":2}}}",
     "face.conf: expected a number"},
    {"{\"item\":\"a\",\"models\":{\"face\":{\"valuable\":[[0,1]]}}}",
     "face: expected \"detections\" or \"bbox\""},
    {"{\"item\":\"a\",\"models\":{\"face\":{\"detections\":[[1,0.5,0,0,1,1]]}}}",
     "face.detections: expected ["},
    {"{\"item\":\"a\",\"models\":{\"objects\":{\"detections\":[[3,0.5,0,0,1,1]]}}}", "objects.detections: "},
    {"{\"item\":\"a\",\"models\":{\"objects\":{\"detections\":[[0,0.5,0,0,1]]}}}", "objects.detections: "},
    {"{\"item\":\"a\",\"models\":{\"objects\":{\"detections\":7}}}", "objects.detections: expected an array"},
    {"{\"item\":\"a\",\"models\":{\"age\":{\"scalar\":null}}}",
     "age.scalar: expected a number, found nothing"},
    {"{\"item\":\"a\",\"models\":{\"age\":{\"scalar\":1e300}}}", "age.scalar: expected less"},
    {"{\"item\":\"a\",\"models\":{\"pose\":{\"vector\":[1,\"x\"]}}}",
     "pose.vector: expected numbers, found \"x\" at 1"},
    {"{\"item\":\"a\",\"models\":{\"pose\":{\"vector\":4}}}",
     "pose.vector: expected an array of numbers, found 4"},
    {"{\"item\":\"a\",\"models\":{\"words\":{\"sequence\":[\"z\"]}}}",
     "words.sequence: expected a token of the model's alphabet, found \"z\""},
    {"{\"item\":\"a\",\"models\":{\"words\":{\"sequence\":[4]}}}", "words.sequence: expected a token"},
    {"{\"item\":\"a\",\"models\":{\"words\":{\"sequence\":\"a\"}}}", "words.sequence: expected an array"},
};

static void test_mistakes(void **state)
{
    (void)state;
    static const char good[] = "{\"item\":\"first\",\"models\":{}}\n";
    struct few_error err;
    struct few_import_stats stats;
    t_tmpdir();
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s%s\n", good, mistakes[i].text);
        enum few_status status = import_text(text, &stats, &err);
        if (status != FEW_EPARSE || !strstr(err.message, mistakes[i].message))
            fail_msg("%s: %s: %s", mistakes[i].text, few_status_name(status), err.message);
        assert_int_equal(stats.items, 0);
        assert_int_equal(access(t_path("out.db"), F_OK), -1);
        assert_int_equal(access(t_path("out.db.part"), F_OK), -1);
    }
}

static void test_too_much(void **state)
{
    (void)state;
    struct few_error err;
    struct few_output out;
    t_tmpdir();
    size_t n = 0, room = 1 << 20;
    char *text = malloc(room);
    assert_non_null(text);
    // 400 detections: the 300 best stay
    n += (size_t)snprintf(text + n, room - n, "{\"item\":\"a\",\"models\":{\"objects\":{\"detections\":[");
    for (int i = 0; i < 400; i++)
        n += (size_t)snprintf(text + n, room - n, "%s[0,%g,0,0,1,1]", i ? "," : "", (i + 1) / 400.0);
    snprintf(text + n, room - n, "]}}}");
    struct few__trace *trace = imported(text);
    output_of(trace, OBJECTS, &out);
    assert_int_equal(out.n, FEW_DETECTIONS_MAX);
    assert_near(out.detections[0].confidence, 1, 0);
    few__trace_free(trace);
    // more tokens than an output may have
    n = (size_t)snprintf(text, room, "{\"item\":\"a\",\"models\":{\"words\":{\"sequence\":[0");
    for (int i = 0; i < FEW_TOKENS_MAX; i++) n += (size_t)snprintf(text + n, room - n, ",0");
    snprintf(text + n, room - n, "]}}}");
    assert_status(import_text(text, NULL, &err), FEW_EPARSE, &err);
    assert_non_null(strstr(err.message, "at most 4096 tokens"));
    // a path longer than a path may be
    n = (size_t)snprintf(text, room, "{\"models\":{},\"item\":\"");
    memset(text + n, 'x', 4097);
    snprintf(text + n + 4097, room - n - 4097, "\"}");
    assert_status(import_text(text, NULL, &err), FEW_EPARSE, &err);
    free(text);
}

static void write_gz(const char *path, const char *text, size_t repeats)
{
    gzFile file = gzopen(path, "wb1");
    assert_non_null(file);
    for (size_t i = 0; i < repeats; i++)
        assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
}

static void test_longest_line(void **state)
{
    (void)state;
    struct few_zoo zoo;
    struct few_error err;
    struct few_import_stats stats;
    enum { BLOCK = 1 << 16 };
    t_tmpdir();
    open_zoo(&zoo, NULL);
    char *blanks = calloc(1, BLOCK + 1);
    memset(blanks, ' ', BLOCK);
    write_gz(t_path("fits.gz"), blanks, FEW_LINE_MAX / BLOCK);
    assert_status(few_import(t_path("fits.gz"), &zoo, t_path("a.db"), false, &stats, &err), FEW_OK, &err);
    assert_int_equal(stats.items, 0);
    write_gz(t_path("long.gz"), blanks, FEW_LINE_MAX / BLOCK + 1);
    assert_status(few_import(t_path("long.gz"), &zoo, t_path("b.db"), false, &stats, &err), FEW_ELIMIT, &err);
    assert_non_null(strstr(err.message, "long.gz:1: expected a line of at most 67108864 bytes"));
    assert_int_equal(access(t_path("b.db"), F_OK), -1);
    free(blanks);
    few__arena_finish(&zoo.arena);
}

static const char three_lines[] =
    "{\"image\":\"a\",\"models\":{\"scene\":{\"labels\":[1,0,0]}}}\n"
    "{\"image\":\"b\",\"models\":{\"scene\":{\"labels\":[0,1,0]},\"words\":{\"sequence\":[\"a\"]}}}\n"
    "{\"image\":\"c\",\"models\":{\"scene\":{\"labels\":[0,0,1]}}}\n";

static void test_gzip_equals_plain(void **state)
{
    (void)state;
    struct few_zoo zoo;
    struct few_error err;
    size_t n_a, n_b;
    t_tmpdir();
    open_zoo(&zoo, NULL);
    mkdir(t_path("a"), 0700);
    mkdir(t_path("b"), 0700);
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    t_write(t_path("a/in"), three_lines, strlen(three_lines));
    write_gz(t_path("b/in"), three_lines, 1);
    const char *const folders[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) { // the same name, since the trace tells where it came from
        assert_int_equal(chdir(t_path(folders[i])), 0);
        assert_status(few_import("in", &zoo, "out.db", false, NULL, &err), FEW_OK, &err);
    }
    assert_int_equal(chdir(before), 0);
    char *a = fix_slurp(t_path("a/out.db"), &n_a), *b = fix_slurp(t_path("b/out.db"), &n_b);
    assert_int_equal(n_a, n_b);
    assert_memory_equal(a, b, n_a);
    free(a);
    free(b);
    few__arena_finish(&zoo.arena);
}

static void test_cut_gzip(void **state)
{
    (void)state;
    struct few_zoo zoo;
    struct few_error err;
    size_t n;
    t_tmpdir();
    open_zoo(&zoo, NULL);
    write_gz(t_path("in.gz"), three_lines, 1000);
    char *data = fix_slurp(t_path("in.gz"), &n);
    t_write(t_path("cut.gz"), data, n / 2);
    assert_status(few_import(t_path("cut.gz"), &zoo, t_path("a.db"), false, NULL, &err), FEW_EIO, &err);
    assert_non_null(strstr(err.message, "cut.gz: cannot be read"));
    data[n / 2] ^= 0x55;
    t_write(t_path("bad.gz"), data, n);
    enum few_status status = few_import(t_path("bad.gz"), &zoo, t_path("a.db"), false, NULL, &err);
    assert_true(status == FEW_EIO || status == FEW_EPARSE);
    assert_int_equal(access(t_path("a.db"), F_OK), -1);
    free(data);
    few__arena_finish(&zoo.arena);
}

static void test_stdin(void **state)
{
    (void)state;
    struct few_zoo zoo;
    struct few_error err;
    struct few_import_stats stats;
    t_tmpdir();
    open_zoo(&zoo, NULL);
    t_write(t_path("in"), three_lines, strlen(three_lines));
    int kept = dup(STDIN_FILENO);
    assert_non_null(freopen(t_path("in"), "rb", stdin));
    assert_status(few_import("-", &zoo, t_path("a.db"), false, &stats, &err), FEW_OK, &err);
    assert_int_equal(stats.items, 3);
    assert_true(dup2(kept, STDIN_FILENO) >= 0);
    close(kept);
    few__arena_finish(&zoo.arena);
}

static void test_files(void **state)
{
    (void)state;
    struct few_zoo zoo;
    struct few_error err;
    struct stat st;
    const char *dir = t_tmpdir();
    open_zoo(&zoo, NULL);
    t_write(t_path("in"), three_lines, strlen(three_lines));
    assert_status(few_import(t_path("none"), &zoo, t_path("a.db"), false, NULL, &err), FEW_ENOENT, &err);
    assert_status(few_import(dir, &zoo, t_path("a.db"), false, NULL, &err), FEW_EIO, &err);
    assert_status(few_import(t_path("in"), &zoo, t_path("no/a.db"), false, NULL, &err), FEW_EIO, &err);
    t_write(t_path("a.db"), "mine", 4);
    assert_status(few_import(t_path("in"), &zoo, t_path("a.db"), false, NULL, &err), FEW_EEXIST, &err);
    assert_status(import_text("{}", NULL, &err), FEW_EPARSE, &err);
    assert_int_equal(stat(t_path("a.db"), &st), 0);
    assert_int_equal(st.st_size, 4); // untouched
    assert_status(few_import(t_path("in"), &zoo, t_path("a.db"), true, NULL, &err), FEW_OK, &err);
    assert_status(few_import(t_path("in"), &zoo, dir, true, NULL, &err), FEW_EIO, &err);
    few__arena_finish(&zoo.arena);
}

static enum few_status import_body(const struct few_mem *mem, void *ud)
{
    struct few_zoo *zoo = ud;
    zoo->env.mem = mem;
    return few_import(t_path("in"), zoo, t_path("a.db"), true, NULL, NULL);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct few_zoo zoo;
    t_tmpdir();
    open_zoo(&zoo, NULL);
    t_write(t_path("in"), three_lines, strlen(three_lines));
    t_fail_each_allocation(import_body, &zoo);
    few__arena_finish(&zoo.arena);
}

static void expect(const struct few__trace *trace, const char *model, size_t ran, size_t empty,
                   size_t valuable)
{
    int m = few__catalog_find(&trace->catalog, model);
    size_t counts[3] = {0};
    assert_true(m >= 0);
    for (size_t i = 0; i < trace->n_items; i++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, i, (size_t)m);
        counts[0] += cell->outcome == FEW_EXECUTED;
        counts[1] += cell->empty;
        counts[2] += cell->n_valuable;
    }
    if (counts[0] != ran || counts[1] != empty || counts[2] != valuable)
        fail_msg("%s: ran %zu, empty %zu, valuable %zu", model, counts[0], counts[1], counts[2]);
}

// The trace that comes with the zoo; the numbers were counted in it by another program.
static void test_real_trace(void **state)
{
    (void)state;
    char manifest[4096], lines[4096];
    struct few_error err;
    struct few_zoo *zoo;
    struct few_import_stats stats;
    struct few__trace *trace;
    size_t n_test = 0;
    snprintf(manifest, sizeof manifest, "%s/examples/photo-zoo/zoo.yaml", t_source());
    if (!t_zoo() || access(manifest, R_OK) != 0) skip();
    snprintf(lines, sizeof lines, "%s/trace.jsonl.gz", t_zoo());
    t_tmpdir();
    struct few_zoo_opts opts = {.size = sizeof opts, .root = t_zoo()};
    assert_status(few_zoo_open(manifest, &opts, &zoo, &err), FEW_OK, &err);
    assert_status(few_import(lines, zoo, t_path("a.db"), false, &stats, &err), FEW_OK, &err);
    assert_int_equal(stats.items, 4051);
    assert_int_equal(stats.items_failed, 0);
    assert_int_equal(stats.outputs, 116358);
    assert_int_equal(stats.unknown, 0);
    assert_status(few__trace_load(t_path("a.db"), false, NULL, &trace, &err), FEW_OK, &err);
    for (size_t i = 0; i < trace->n_items; i++) n_test += trace->items[i].bucket >= FEW__SPLIT_DEFAULT;
    assert_int_equal(n_test, 3295);
    expect(trace, "mobilenet_v2_100_224", 4051, 0, 2188);
    expect(trace, "inat_bird", 4051, 0, 118);
    expect(trace, "fastestdet", 4051, 0, 8928);
    expect(trace, "ultraface_rfb_320", 4051, 3089, 962);
    expect(trace, "person_192", 4051, 2954, 948);
    expect(trace, "face_emotion", 962, 3089, 500);
    expect(trace, "face_pose", 962, 3089, 962);
    expect(trace, "text_det_640", 4051, 2842, 1209);
    few__trace_free(trace);
    few_zoo_close(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_detections),
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_numbers_and_words),
        cmocka_unit_test(test_what_did_not_run),
        cmocka_unit_test(test_times_and_counts),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_gzip_equals_plain),
        cmocka_unit_test(test_cut_gzip),
        cmocka_unit_test(test_stdin),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_real_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
