// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clips.h"
#include "core/env.h"
#include "core/error.h"
#include "media/stream.h"

static const char *folder; // NULL: no ffmpeg

static const char *path_of(const char *name)
{
    static char paths[4][512];
    static size_t i;
    char *path = paths[i++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make_clips(void **state)
{
    (void)state;
    const char *dir = t_tmpdir();
    if (clip_make(
            dir,
            "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -f lavfi -i sine=d=2 -c:v libx264 -pix_fmt yuv420p -bf 2 "
            "-g 10 -c:a mp2 a.ts") &&
        clip_make(dir, "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -c:v mpeg2video -g 10 -b:v 400k v.ts") &&
        clip_make(dir, "-i a.ts -c:v copy -an -movflags +faststart first.mp4"))
        folder = dir;
    return 0;
}

#define NEEDS_CLIPS() \
    (void)state;      \
    if (!folder) skip()

/* ---- waiting for something to happen ---- */

struct bell {
    pthread_mutex_t mutex;
    pthread_cond_t rung;
};

static void ring(void *ud)
{
    struct bell *bell = ud;
    pthread_mutex_lock(&bell->mutex);
    pthread_cond_broadcast(&bell->rung);
    pthread_mutex_unlock(&bell->mutex);
}

static struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};

// Until it holds of the stream; what makes it hold rings.
static void await(struct few__stream *s, bool (*holds)(const struct few__stream_about *about))
{
    struct few__stream_about about;
    pthread_mutex_lock(&bell.mutex);
    for (;;) {
        few__stream_about(s, &about);
        if (holds(&about)) break;
        pthread_cond_wait(&bell.rung, &bell.mutex);
    }
    pthread_mutex_unlock(&bell.mutex);
}

static bool has_ended(const struct few__stream_about *about)
{
    return about->ended;
}

static bool has_two(const struct few__stream_about *about)
{
    return about->n_in >= 2;
}

static bool has_forty(const struct few__stream_about *about)
{
    return about->n_in >= 40;
}

/* ---- a server on this machine ---- */

enum { SERVE_ALL, SERVE_HALF_AND_HOLD, HOLD, HANG_UP, SERVE_HTTP }; // what it does with a connection

struct server {
    int listener, port;
    pthread_t thread;
    const int *acts; // the last one again and again
    size_t n_acts;
    char *bytes;
    size_t n;
};

static void send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void act(const struct server *v, int fd, int what)
{
    char scrap[4096];
    if (what == SERVE_HTTP) {
        if (recv(fd, scrap, sizeof scrap, 0) <= 0) return;
        int n = snprintf(scrap, sizeof scrap,
                         "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %zu\r\n"
                         "Connection: close\r\n\r\n",
                         v->n);
        send_all(fd, scrap, (size_t)n);
    }
    if (what == SERVE_ALL || what == SERVE_HTTP) send_all(fd, v->bytes, v->n);
    if (what == SERVE_HALF_AND_HOLD) send_all(fd, v->bytes, v->n / 2 / 188 * 188);
    if (what == HOLD || what == SERVE_HALF_AND_HOLD) // until the other side goes away
        while (recv(fd, scrap, sizeof scrap, 0) > 0) continue;
}

static void *serve(void *ud)
{
    struct server *v = ud;
    for (size_t i = 0;; i++) {
        int fd = accept(v->listener, NULL, NULL);
        if (fd < 0) return NULL;
        act(v, fd, v->acts[i < v->n_acts ? i : v->n_acts - 1]);
        close(fd);
    }
}

static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void server_start(struct server *v, const char *clip, const int *acts, size_t n_acts)
{
    *v = (struct server){.acts = acts, .n_acts = n_acts};
    FILE *f = fopen(path_of(clip), "rb");
    assert_non_null(f);
    v->bytes = malloc(1 << 20);
    assert_non_null(v->bytes);
    v->n = fread(v->bytes, 1, 1 << 20, f);
    fclose(f);
    v->listener = listen_here(&v->port);
    assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
}

static void server_stop(struct server *v)
{
    shutdown(v->listener, SHUT_RDWR);
    pthread_join(v->thread, NULL);
    close(v->listener);
    free(v->bytes);
}

static const char *url_of(const struct server *v, const char *scheme)
{
    static char url[64];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d", scheme, v->port);
    return url;
}

/* ---- recordings ---- */

// The decoder without threads of its own: a thread sanitizer does not see how FFmpeg keeps them apart.
static const struct few__stream_opts plain = {
    .container = {.wants_picture = true, .wants_look = true, .n_rates = 1, .rates = {16000}, .threads = 1},
    .in_hands = 2,
    .on_ready = ring,
    .ud = &bell,
};

static struct few__stream *open_stream(const char *url, const struct few__stream_opts *opts)
{
    struct few__stream *s;
    struct few_error err;
    assert_status(few__stream_open(url, opts, NULL, &s, &err), FEW_OK, &err);
    return s;
}

static void take_all(struct few__stream *s, struct shots *shots)
{
    struct few__moment *m;
    struct few__buffer planes = {0};
    *shots = (struct shots){0};
    while ((shots->end = few__stream_next(s, true, &m, &shots->err)) == FEW_OK) {
        clip_keep(shots, m, &planes);
        few__stream_give_back(s, m);
    }
    few__buffer_finish(&planes);
}

static void assert_same(const struct shots *a, const struct shots *b, size_t from)
{
    assert_int_equal(a->n, b->n - from);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->all[i].at_us, b->all[from + i].at_us);
        assert_int_equal(a->all[i].until_us, b->all[from + i].until_us);
        assert_true(a->all[i].pixels == b->all[from + i].pixels);
        assert_int_equal(a->all[i].n_samples, b->all[from + i].n_samples);
    }
}

static void test_recording(void **state)
{
    NEEDS_CLIPS();
    struct shots all, some;
    struct few__stream_about about;
    clip_whole(path_of("a.ts"), &plain.container, &all);
    struct few__stream *s = open_stream(path_of("a.ts"), &plain);
    take_all(s, &some);
    assert_int_equal(some.end, FEW_END);
    assert_same(&some, &all, 0);
    few__stream_about(s, &about);
    assert_true(about.ended);
    assert_int_equal(about.n_in, 50);
    assert_int_equal(about.n_dropped, 0);
    assert_int_equal(about.n_reconnects, 0);
    assert_int_equal(about.container.width, 96);
    assert_true(about.newest_us > 0);
    assert_string_equal(about.message, "");
    few__stream_close(s);
    free(some.samples), free(all.samples);
}

// A recording waits for who takes its moments.
static void test_waits(void **state)
{
    NEEDS_CLIPS();
    struct few__stream_opts o = plain;
    o.ahead = 2;
    struct few__stream *s = open_stream(path_of("a.ts"), &o);
    struct few__stream_about about;
    await(s, has_two);
    struct few__moment *a, *b;
    struct few_error err;
    assert_status(few__stream_next(s, false, &a, &err), FEW_OK, &err);
    assert_status(few__stream_next(s, true, &b, &err), FEW_OK, &err);
    assert_int_equal(a->at_us, 0);
    assert_int_equal(b->at_us, 40000);
    few__stream_about(s, &about);
    assert_true(about.n_in <= 4 && about.n_dropped == 0 && about.is_open && !about.ended);
    few__stream_give_back(s, b);
    few__stream_give_back(s, a);
    few__stream_close(s); // while its thread waits for room
}

static void test_begin_elsewhere(void **state)
{
    NEEDS_CLIPS();
    struct shots all, some;
    clip_whole(path_of("a.ts"), &plain.container, &all);
    for (int round = 0; round < 4; round++) {
        struct few__stream_opts o = plain;
        if (round == 3) o.ahead = 100;
        struct few__stream *s = open_stream(path_of("a.ts"), &o);
        if (round == 1) await(s, has_two);
        if (round == 2) few__stream_start_at(s, 1900000);
        if (round == 3) await(s, has_ended);
        few__stream_start_at(s, 1010000);
        take_all(s, &some);
        assert_int_equal(some.end, FEW_END);
        assert_same(&some, &all, 26);
        free(some.samples);
        few__stream_start_at(s, 0); // too late
        take_all(s, &some);
        assert_int_equal(some.n, 0);
        few__stream_close(s);
    }
    free(all.samples);
}

static void test_not_there(void **state)
{
    NEEDS_CLIPS();
    struct few_error err;
    struct few__moment *m;
    struct few__stream_about about;
    struct few__stream *s = open_stream(path_of("none.mp4"), &plain);
    assert_status(few__stream_next(s, true, &m, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "none.mp4"));
    few__stream_start_at(s, 0);
    assert_status(few__stream_next(s, true, &m, &err), FEW_END, &err);
    few__stream_about(s, &about);
    assert_non_null(strstr(about.message, "none.mp4"));
    few__stream_close(s);
    s = open_stream(path_of("none.mp4"), &plain);
    await(s, has_ended);
    few__stream_start_at(s, 0); // nothing to begin
    assert_status(few__stream_next(s, true, &m, &err), FEW_ENOENT, &err);
    few__stream_close(s);
}

static void test_broken(void **state)
{
    NEEDS_CLIPS();
    FILE *f = fopen(path_of("first.mp4"), "rb");
    assert_non_null(f);
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    t_write(path_of("half.mp4"), bytes, n / 3);
    struct few__stream_opts o = plain;
    o.container.n_rates = 0;
    struct few__stream *s = open_stream(path_of("half.mp4"), &o);
    struct shots some;
    struct few__stream_about about;
    take_all(s, &some);
    assert_int_equal(some.end, FEW_END);
    assert_in_range(some.n, 1, 25);
    few__stream_about(s, &about);
    assert_non_null(strstr(about.message, "half.mp4: cut off: it ends after"));
    few__stream_close(s);
}

/* ---- live ---- */

static struct few__stream_opts live_opts(void)
{
    struct few__stream_opts o = plain;
    o.container.is_live = true;
    o.container.n_rates = 0;
    o.container.timeout_us = 5000000;
    o.backoff_us = 1000;
    o.backoff_max_us = 4000;
    return o;
}

// Ends, comes back, stops giving, comes back.
static void test_comes_back(void **state)
{
    NEEDS_CLIPS();
    static const int acts[] = {SERVE_ALL, HANG_UP, SERVE_HALF_AND_HOLD, SERVE_ALL, HOLD};
    struct server v;
    server_start(&v, "v.ts", acts, 5);
    struct few__stream_opts o = live_opts();
    o.container.timeout_us = 700000;
    o.ahead = 64;
    int64_t before = few__wall_us(), last = 0;
    struct few__stream *s = open_stream(url_of(&v, "tcp"), &o);
    struct few_error err;
    struct few__moment *m;
    struct few__stream_about about;
    bool ended = false, stalled = false;
    for (int i = 0; i < 115; i++) { // 49 + 20 + 49: more than two connections give
        assert_status(few__stream_next(s, true, &m, &err), FEW_OK, &err);
        assert_non_null(m->picture);
        assert_true(m->has_look);
        assert_true(m->at_us > last && m->until_us > m->at_us);
        assert_true(m->at_us >= before && m->at_us <= few__wall_us() + 1000);
        assert_true(m->arrived_us > 0);
        last = m->at_us;
        few__stream_about(s, &about);
        ended |= strstr(about.message, "it ended before anything came") != NULL;
        stalled |= strstr(about.message, "nothing came for 0.7 s") != NULL;
        few__stream_give_back(s, m);
    }
    assert_true(ended && stalled);
    assert_true(about.container.is_live);
    assert_int_equal(about.container.n_expected, 0);
    assert_int_equal(about.n_reconnects, 2); // one connection was hung up before it was one
    few__stream_close(s);                    // while it waits for bytes
    server_stop(&v);
}

static void test_drops_oldest(void **state)
{
    NEEDS_CLIPS();
    static const int acts[] = {SERVE_ALL, HOLD};
    struct server v;
    server_start(&v, "v.ts", acts, 2);
    struct few__stream_opts o = live_opts();
    o.ahead = 3;
    struct few__stream *s = open_stream(url_of(&v, "tcp"), &o);
    struct few_error err;
    struct few__moment *m, *held;
    struct few__stream_about about;
    assert_status(few__stream_next(s, true, &held, &err), FEW_OK, &err);
    int64_t first = held->at_us, first_pts = held->picture->best_effort_timestamp;
    AVFrame *frame = held->picture;
    await(s, has_forty);
    assert_int_equal(held->at_us, first); // what is in hands stays
    assert_true(held->picture == frame && frame->width == 96);
    few__stream_about(s, &about);
    assert_true(about.n_dropped >= 40 - 1 - 3 - 1 && about.n_dropped < about.n_in);
    int64_t last = first;
    for (int i = 0; i < 2; i++) {
        assert_status(few__stream_next(s, false, &m, &err), FEW_OK, &err);
        assert_true(m->at_us > last);
        last = m->at_us;
        assert_true(m->picture->best_effort_timestamp - first_pts > 30 * 3600); // the newest ones
        few__stream_give_back(s, m);
    }
    few__stream_give_back(s, held);
    few__stream_close(s);
    server_stop(&v);
}

// Sound and sampling of a live stream; spans follow each other.
static void test_live_sound(void **state)
{
    NEEDS_CLIPS();
    static const int acts[] = {SERVE_ALL, HOLD};
    struct server v;
    server_start(&v, "a.ts", acts, 2);
    struct few__stream_opts o = live_opts();
    o.ahead = 64;
    o.container.n_rates = 1;
    o.container.fps = 5;
    struct few__stream *s = open_stream(url_of(&v, "tcp"), &o);
    struct few_error err;
    struct few__moment *m;
    int64_t last_until = 0;
    for (int i = 0; i < 9; i++) {
        assert_status(few__stream_next(s, true, &m, &err), FEW_OK, &err);
        if (i > 0) assert_near(m->at_us, last_until, 1000000);
        assert_int_equal(m->n_sounds, 1);
        assert_int_equal(m->sounds[0].n, 3200);
        assert_int_equal(m->until_us - m->at_us, 200000);
        last_until = m->until_us;
        few__stream_give_back(s, m);
    }
    few__stream_close(s);
    server_stop(&v);
}

static void test_gives_up(void **state)
{
    NEEDS_CLIPS();
    int port;
    char url[128];
    close(listen_here(&port)); // nobody is there
    struct few__stream_opts o = live_opts();
    o.reconnects = 2;
    struct few_error err;
    struct few__moment *m;
    struct few__stream_about about;
    snprintf(url, sizeof url, "http://user:secret@127.0.0.1:%d/cam", port);
    struct few__stream *s = open_stream(url, &o);
    assert_status(few__stream_next(s, true, &m, &err), FEW_EIO, &err);
    assert_non_null(strstr(err.message, "http://127.0.0.1:"));
    assert_null(strstr(err.message, "secret"));
    assert_status(few__stream_next(s, true, &m, &err), FEW_END, &err);
    few__stream_about(s, &about);
    assert_null(strstr(about.message, "secret"));
    assert_null(strstr(about.message, "user"));
    few__stream_close(s);
    // Without end: nothing yet, and closing ends the waiting.
    o.reconnects = 0;
    o.backoff_us = o.backoff_max_us = INT64_C(3600000000);
    s = open_stream(url, &o);
    assert_status(few__stream_next(s, false, &m, &err), FEW_AGAIN, &err);
    few__stream_close(s);
}

// A URL with an end is a recording.
static void test_finite_url(void **state)
{
    NEEDS_CLIPS();
    static const int acts[] = {SERVE_HTTP};
    struct server v;
    server_start(&v, "first.mp4", acts, 1);
    struct few__stream_opts o = live_opts();
    struct shots all, some;
    struct few__stream_about about;
    struct few__container_opts pictures = o.container;
    pictures.is_live = false;
    clip_whole(path_of("first.mp4"), &pictures, &all);
    struct few__stream *s = open_stream(url_of(&v, "http"), &o);
    take_all(s, &some);
    assert_int_equal(some.end, FEW_END);
    assert_same(&some, &all, 0);
    few__stream_about(s, &about);
    assert_false(about.container.is_live);
    assert_int_equal(about.n_reconnects, 0);
    few__stream_close(s);
    server_stop(&v);
}

// A host that takes the connection and says nothing does not hold up closing.
static void test_dead_host(void **state)
{
    NEEDS_CLIPS();
    static const int acts[] = {HOLD};
    struct server v;
    server_start(&v, "a.ts", acts, 1);
    struct few__stream_opts o = live_opts();
    o.container.timeout_us = INT64_C(3600000000);
    static const char *const schemes[] = {"tcp", "http", "rtsp"};
    for (size_t i = 0; i < 3; i++) {
        struct few__stream *s = open_stream(url_of(&v, schemes[i]), &o);
        struct few__moment *m;
        struct few_error err;
        assert_status(few__stream_next(s, false, &m, &err), FEW_AGAIN, &err);
        few__stream_close(s);
    }
    server_stop(&v);
}

// A list from elsewhere cannot make files of this machine be read.
static void test_no_files_from_elsewhere(void **state)
{
    NEEDS_CLIPS();
    static const int acts[] = {SERVE_HTTP};
    char list[1024];
    int n = snprintf(list, sizeof list,
                     "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://%s\n#EXT-X-ENDLIST\n",
                     path_of("a.ts"));
    t_write(path_of("list.m3u8"), list, (size_t)n);
    struct server v;
    server_start(&v, "list.m3u8", acts, 1);
    struct few__stream_opts o = live_opts();
    o.reconnects = 1;
    char url[96];
    snprintf(url, sizeof url, "%s/list.m3u8", url_of(&v, "http"));
    struct few__stream *s = open_stream(url, &o);
    struct few__moment *m;
    struct few_error err;
    enum few_status got = few__stream_next(s, true, &m, &err);
    assert_true(got < 0);
    few__stream_close(s);
    server_stop(&v);
}

/* ---- memory ---- */

static enum few_status whole(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__stream *s;
    struct few_error err;
    enum few_status got = few__stream_open(ud, &plain, &env, &s, &err);
    if (got != FEW_OK) return got;
    struct few__moment *m;
    while ((got = few__stream_next(s, true, &m, &err)) == FEW_OK) few__stream_give_back(s, m);
    few__stream_close(s);
    return got == FEW_END ? FEW_OK : got;
}

static void test_no_memory(void **state)
{
    NEEDS_CLIPS();
    t_fail_each_allocation(whole, (void *)(uintptr_t)path_of("a.ts"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording),       cmocka_unit_test(test_waits),
        cmocka_unit_test(test_begin_elsewhere), cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_broken),          cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_drops_oldest),    cmocka_unit_test(test_live_sound),
        cmocka_unit_test(test_gives_up),        cmocka_unit_test(test_finite_url),
        cmocka_unit_test(test_dead_host),       cmocka_unit_test(test_no_files_from_elsewhere),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, make_clips, NULL);
}
