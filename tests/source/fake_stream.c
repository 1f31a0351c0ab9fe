// SPDX-License-Identifier: Apache-2.0
#include "fake_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

struct t_streams t_streams;

struct few__stream {
    struct t_live *live; // NULL: a recording
    int64_t n, at;       // moments, the next one
    bool refused;
    size_t in_hands;
    struct few__stream_about about;
};

struct few__container {
    int64_t n;
};

const char *t_recording(const char *name, int n)
{
    static char path[600];
    char text[32];
    snprintf(path, sizeof path, "%s", t_path(name));
    int length = snprintf(text, sizeof text, "moments %d\n", n);
    t_write(path, text, (size_t)length);
    return path;
}

static bool count(const char *path, int64_t *n)
{
    long long number = 0;
    FILE *file = fopen(path, "r");
    bool ok = file && fscanf(file, "moments %lld", &number) == 1;
    if (file) fclose(file);
    *n = number;
    return ok;
}

/* ---- containers ---- */

enum few_status __wrap_few__container_open(const char *url, const struct few__container_opts *opts,
                                           const struct few_env *env, struct few__container **container,
                                           struct few_error *err);
enum few_status __wrap_few__container_open(const char *url, const struct few__container_opts *opts,
                                           const struct few_env *env, struct few__container **container,
                                           struct few_error *err)
{
    int64_t n;
    (void)opts;
    (void)env;
    *container = NULL;
    t_streams.n_containers++;
    if (!count(url, &n)) return few__fail(err, FEW_EDECODE, "%s: no recording", url);
    *container = calloc(1, sizeof **container);
    assert_non_null(*container);
    (*container)->n = n;
    return FEW_OK;
}

void __wrap_few__container_close(struct few__container *container);
void __wrap_few__container_close(struct few__container *container)
{
    free(container);
}

void __wrap_few__container_about(const struct few__container *container, struct few__container_about *about);
void __wrap_few__container_about(const struct few__container *container, struct few__container_about *about)
{
    *about = (struct few__container_about){.n_expected = container->n > 0 ? (uint64_t)container->n : 0};
}

/* ---- streams ---- */

enum few_status __wrap_few__stream_open(const char *url, const struct few__stream_opts *opts,
                                        const struct few_env *env, struct few__stream **stream,
                                        struct few_error *err);
enum few_status __wrap_few__stream_open(const char *url, const struct few__stream_opts *opts,
                                        const struct few_env *env, struct few__stream **stream,
                                        struct few_error *err)
{
    (void)env;
    *stream = NULL;
    if (t_streams.refuse != FEW_OK) return few__fail(err, t_streams.refuse, "%s: no thread", url);
    struct few__stream *s = calloc(1, sizeof *s);
    assert_non_null(s);
    for (size_t i = 0; i < T_LIVE_MAX; i++)
        if (t_streams.live[i].url && strcmp(t_streams.live[i].url, url) == 0) s->live = &t_streams.live[i];
    assert_int_equal(opts->container.is_live, s->live != NULL);
    if (!s->live) s->refused = !count(url, &s->n) || s->n < 0;
    t_streams.last = *opts;
    t_streams.n_opened++;
    if (++t_streams.n_open > t_streams.n_open_max) t_streams.n_open_max = t_streams.n_open;
    *stream = s;
    return FEW_OK;
}

void __wrap_few__stream_close(struct few__stream *stream);
void __wrap_few__stream_close(struct few__stream *stream)
{
    if (!stream) return;
    assert_int_equal(stream->in_hands, 0);
    t_streams.n_open--;
    free(stream);
}

void __wrap_few__stream_start_at(struct few__stream *stream, int64_t at_us);
void __wrap_few__stream_start_at(struct few__stream *stream, int64_t at_us)
{
    stream->at = (at_us + 499999) / 500000;
}

static enum few_status next_live(struct few__stream *s, bool block, int64_t *at_us, struct few_error *err)
{
    struct t_live *live = s->live;
    assert_false(block);
    if (live->waiting > 0) {
        live->waiting--;
        *at_us = live->next_us;
        live->next_us += 40000;
        return FEW_OK;
    }
    enum few_status failure = live->failure;
    live->failure = FEW_OK;
    if (failure != FEW_OK) return few__fail(err, failure, "%s: connection refused", live->url);
    return live->ended ? FEW_END : few__fail(err, FEW_AGAIN, "nothing yet");
}

enum few_status __wrap_few__stream_next(struct few__stream *stream, bool block, struct few__moment **moment,
                                        struct few_error *err);
enum few_status __wrap_few__stream_next(struct few__stream *stream, bool block, struct few__moment **moment,
                                        struct few_error *err)
{
    int64_t at_us = stream->at * 500000;
    enum few_status status = FEW_OK;
    if (stream->live) {
        status = next_live(stream, block, &at_us, err);
    } else {
        assert_true(block);
        if (stream->refused) {
            stream->refused = false;
            stream->n = 0;
            return few__fail(err, FEW_EDECODE, "no recording");
        }
        if (stream->at >= stream->n) status = FEW_END;
        stream->at++;
    }
    if (status != FEW_OK) return status;
    *moment = calloc(1, sizeof **moment);
    assert_non_null(*moment);
    (*moment)->at_us = at_us;
    (*moment)->until_us = at_us + 500000;
    stream->about.n_in++;
    stream->in_hands++;
    t_streams.in_hands++;
    return FEW_OK;
}

void __wrap_few__stream_give_back(struct few__stream *stream, struct few__moment *moment);
void __wrap_few__stream_give_back(struct few__stream *stream, struct few__moment *moment)
{
    stream->in_hands--;
    t_streams.in_hands--;
    free(moment);
}

void __wrap_few__stream_about(struct few__stream *stream, struct few__stream_about *about);
void __wrap_few__stream_about(struct few__stream *stream, struct few__stream_about *about)
{
    *about = stream->about;
    about->is_open = true;
}
