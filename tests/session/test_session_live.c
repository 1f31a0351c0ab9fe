// SPDX-License-Identifier: Apache-2.0
/* Live streams in a session: a server on this machine that gives what a camera would, stops giving, or is not there. What
 * comes when is the host's affair, so only what must hold in any case is asserted. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/store.h"
#include "streams_world.h"

enum { FRAMES = 50, BYTES_MAX = 1 << 20 };

static struct few_error err;

/* ---- a camera ---- */

struct camera { // gives all its bytes to the first who connects, nothing to others, and hangs up on nobody
    int listener, port;
    pthread_t thread;
    char bytes[BYTES_MAX];
    size_t n;
    char url[64];
};

static struct camera camera;

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

static void *serve(void *ud)
{
    struct camera *c = ud;
    for (size_t i = 0;; i++) {
        char scrap[64];
        int fd = accept(c->listener, NULL, NULL);
        if (fd < 0) return NULL;
        for (size_t sent = 0; i == 0 && sent < c->n;) {
            ssize_t n = send(fd, c->bytes + sent, c->n - sent, MSG_NOSIGNAL);
            if (n <= 0) break;
            sent += (size_t)n;
        }
        while (recv(fd, scrap, sizeof scrap, 0) > 0) continue; // until the other side goes away
        close(fd);
    }
}

// gives: a film of FRAMES frames; otherwise it accepts and says nothing.
static void camera_start(bool gives)
{
    char command[2048];
    snprintf(
        command, sizeof command,
        "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=size=96x64:rate=25:duration=2 -c:v mpeg2video -g 5 "
        "-f mpegts '%s' >/dev/null 2>&1",
        t_path("film.ts"));
    if (system(command) != 0) skip();
    FILE *film = fopen(t_path("film.ts"), "rb");
    assert_non_null(film);
    camera.n = gives ? fread(camera.bytes, 1, BYTES_MAX, film) : 0;
    fclose(film);
    camera.listener = listen_here(&camera.port);
    snprintf(camera.url, sizeof camera.url, "tcp://127.0.0.1:%d", camera.port);
    assert_int_equal(pthread_create(&camera.thread, NULL, serve, &camera), 0);
}

static void camera_stop(void)
{
    shutdown(camera.listener, SHUT_RDWR);
    pthread_join(camera.thread, NULL);
    close(camera.listener);
}

/* ---- sessions ---- */

struct world {
    struct few_zoo *zoo;
    struct few_items *items;
    struct few_session *session;
};

static void open_world(struct world *w, const char *const *args, size_t n, struct few_items_opts items_opts,
                       struct few_session_opts opts)
{
    w->zoo = w_bright_zoo("zoo.yaml", NULL);
    items_opts.size = sizeof items_opts;
    items_opts.zoo = w->zoo;
    opts = w_opts(opts);
    w->items = w_items(args, n, &items_opts);
    assert_status(few_session_create(w->zoo, NULL, &opts, &w->session, &err), FEW_OK, &err);
    assert_status(few_session_attach(w->session, w->items, &err), FEW_OK, &err);
}

static void close_world(struct world *w)
{
    assert_status(few_session_close(w->session, &err), FEW_OK, &err);
    few_items_close(w->items);
    few_zoo_close(w->zoo);
}

static void stats_of(const struct world *w, size_t i, struct few_stream_stats *stats)
{
    *stats = (struct few_stream_stats){.size = sizeof *stats};
    assert_int_equal(few_session_stream(w->session, i, stats), FEW_OK);
    assert_int_equal(stats->n_in, stats->n_analysed + stats->n_reused + stats->n_dropped + stats->n_failed);
    assert_true(stats->is_live);
}

// Results until all frames were analysed, reused or dropped: how many.
static size_t receive_film(struct world *w, bool *aged)
{
    struct few_stream_stats stats = {.n_in = 0};
    size_t n = 0;
    for (int quiet = 0; stats.n_in < FRAMES - 3 && quiet < 40;) { // the last ones stay in the decoder
        const struct few_result *result;
        enum few_status status = few_session_receive(w->session, &result, &err);
        assert_true(status == FEW_OK || status == FEW_AGAIN);
        quiet += status == FEW_AGAIN;
        if (status != FEW_OK) continue;
        n++;
        assert_int_equal(result->status, FEW_OK);
        assert_int_equal(result->stream, 0);
        assert_non_null(strstr(result->path, "#t=clock:20"));
        assert_true(result->at_us > 0 && result->until_us >= result->at_us);
        *aged = *aged && result->age_us >= 0;
        stats_of(w, 0, &stats);
    }
    return n;
}

static void test_every_frame_is_accounted_for(void **state)
{
    (void)state;
    struct world w;
    struct few_stream_stats stats;
    bool aged = true;
    t_tmpdir();
    camera_start(true);
    const char *args[] = {camera.url};
    open_world(&w, args, 1, (struct few_items_opts){.live_timeout_us = 300000},
               (struct few_session_opts){.lanes = 2, .in_flight = 2, .reuse_below = 0.001});
    size_t n = receive_film(&w, &aged);
    stats_of(&w, 0, &stats);
    assert_true(n > 0 && aged);
    assert_int_equal(stats.n_analysed + stats.n_reused, n);
    assert_true(stats.n_in >= FRAMES - 3 && stats.n_in <= FRAMES);
    assert_int_equal(stats.width, 96);
    assert_true(stats.newest_age_us >= 0);
    assert_false(stats.ended);
    assert_string_equal(stats.path, camera.url);
    close_world(&w); // while the stream waits for more
    camera_stop();
}

static void test_a_live_stream_is_never_kept(void **state)
{
    (void)state;
    struct few__store *store;
    struct few__stream_row row;
    struct few__item_row item;
    struct few__cell cells[3];
    uint64_t n_in = 0;
    t_tmpdir();
    const struct few_session_opts opts = {.lanes = 1, .store = t_path("run.db"), .resume = true};
    camera_start(true);
    const char *args[] = {camera.url};
    for (size_t round = 0; round < 2; round++) {
        struct world w;
        struct few_stream_stats stats;
        const struct few_result *result;
        open_world(&w, args, 1, (struct few_items_opts){.live_timeout_us = 300000}, opts);
        bool aged = true;
        if (round == 0) (void)receive_film(&w, &aged);
        else assert_status(few_session_receive(w.session, &result, &err), FEW_AGAIN, &err);
        stats_of(&w, 0, &stats);
        if (round == 1) assert_int_equal(stats.n_in, n_in); // what it was, and nothing new
        n_in = stats.n_in;
        close_world(&w);
    }
    camera_stop();
    assert_status(few__store_open(opts.store, NULL, &store, &err), FEW_OK, &err);
    assert_int_equal(few__store_n_streams(store), 1);
    assert_status(few__store_find_stream(store, camera.url, &row, &err), FEW_OK, &err);
    assert_true(row.is_live && !row.ended && row.n_in == n_in && row.newest_age_us >= 0);
    assert_true(*row.message);
    assert_status(few__store_get(store, 0, &item, cells, &err), FEW_OK, &err);
    assert_int_equal(item.stream, 0);
    assert_true(item.age_us >= 0);
    assert_string_equal(item.digest, "");
    assert_status(few__store_close(store, &err), FEW_OK, &err);
}

// Photographs do not wait for a camera that says nothing.
static void test_the_rest_goes_on(void **state)
{
    (void)state;
    struct world w;
    const struct few_result *result;
    t_tmpdir();
    camera_start(false);
    w_picture(t_path("a.bmp"), 8, 6, 1);
    w_picture(t_path("b.bmp"), 8, 6, 2);
    const char *args[] = {t_path("a.bmp"), camera.url, t_path("b.bmp")};
    open_world(&w, args, 3, (struct few_items_opts){.live_timeout_us = 100000},
               (struct few_session_opts){.lanes = 1});
    assert_status(few_session_receive(w.session, &result, &err), FEW_OK, &err);
    assert_non_null(strstr(result->path, "a.bmp"));
    assert_int_equal(result->age_us, -1);
    assert_status(few_session_receive(w.session, &result, &err), FEW_OK, &err);
    assert_non_null(strstr(result->path, "b.bmp"));
    for (int i = 0; i < 2; i++) assert_status(few_session_receive(w.session, &result, &err), FEW_AGAIN, &err);
    close_world(&w);
    camera_stop();
}

static void test_a_camera_that_is_not_there(void **state)
{
    (void)state;
    struct world w;
    struct few_stream_stats stats;
    const struct few_result *result;
    enum few_status status;
    t_tmpdir();
    int port, fd = listen_here(&port);
    close(fd); // nobody is there any more
    char url[64];
    snprintf(url, sizeof url, "tcp://127.0.0.1:%d", port);
    const char *args[] = {url};
    open_world(&w, args, 1, (struct few_items_opts){.live_reconnects = 1},
               (struct few_session_opts){.store = t_path("run.db")});
    do status = few_session_receive(w.session, &result, &err);
    while (status == FEW_AGAIN);
    assert_status(status, FEW_OK, &err);
    assert_string_equal(result->path, url);
    assert_int_equal(result->status, FEW_EIO);
    assert_int_equal(result->stream, 0);
    assert_status(few_session_receive(w.session, &result, &err), FEW_END, &err);
    stats_of(&w, 0, &stats);
    assert_int_equal(stats.n_failed, 1);
    assert_true(stats.ended && stats.message[0]);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_frame_is_accounted_for),
        cmocka_unit_test(test_a_live_stream_is_never_kept),
        cmocka_unit_test(test_the_rest_goes_on),
        cmocka_unit_test(test_a_camera_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
