// SPDX-License-Identifier: Apache-2.0
/* YAML through libfyaml's event parser.
 *
 * Events rather than libfyaml's document, because those give the place of maps and lists too, and because our own
 * tree shares what an alias names instead of copying it: nested aliases cost nothing. An anchor is known once its
 * node has ended, so a tree cannot contain itself. */
#include "model/manifest_yaml.h"

#include <assert.h>
#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

/* A list or map that has begun. Its children hang in a chain until their number is known. */
struct child {
    struct child *next;
    const struct few__yaml *node;
};

struct frame {
    struct few__yaml *node;
    struct child *first, *last;
    size_t n;
    const char *anchor; // NULL = none
};

struct anchor {
    const char *name;
    const struct few__yaml *node;
};

struct builder {
    struct few__arena *arena;
    struct few__problems *problems;
    struct few_error *err;
    enum few_status status; // FEW_OK until memory or a limit ends it
    const struct few__yaml *root;
    struct few__place last;
    bool malformed; // there is no tree
    bool ended;     // the parser came to the end of the text
    size_t depth, n_nodes, n_anchors, n_documents;
    struct frame frames[FEW__YAML_DEPTH_MAX];
    struct anchor anchors[FEW__YAML_ANCHORS_MAX];
};

static void no_memory(struct builder *b)
{
    b->status = few__no_memory(b->err, "manifest");
}

static bool count_nodes(struct builder *b, size_t n)
{
    b->n_nodes += n;
    if (b->n_nodes > FEW__YAML_NODES_MAX)
        b->status = few__fail(b->err, FEW_ELIMIT, "%s: expected at most %d YAML nodes, found more",
                              b->problems->file, FEW__YAML_NODES_MAX);
    return b->status == FEW_OK;
}

/* A value that was left out has no place; then it is that of the event before, its key. */
static struct few__place place_of(struct builder *b, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark) b->last = (struct few__place){.line = mark->line + 1, .column = mark->column + 1};
    return b->last;
}

/* ---- merge keys ---- */

static bool is_merge(const struct few__yaml *key)
{
    return key->type == FEW__YAML_TEXT && key->plain && strcmp(key->text, "<<") == 0;
}

static bool has_key(const struct few__yaml_pair *pairs, size_t n, const struct few__yaml *key)
{
    for (size_t i = 0; i < n; i++)
        if (pairs[i].key->type == FEW__YAML_TEXT && key->type == FEW__YAML_TEXT &&
            strcmp(pairs[i].key->text, key->text) == 0)
            return true;
    return false;
}

/* Add the pairs of `from` whose key is not there yet. */
static size_t merge_map(struct builder *b, struct few__yaml_pair *pairs, size_t n,
                        const struct few__yaml *from)
{
    static const struct few__where where = {.key = "<<"};
    if (from->type != FEW__YAML_MAP || from->n > FEW__YAML_MERGED_MAX) {
        few__problem(b->problems, from->place, &where, few__yaml_found(b->arena, from),
                     "a map of at most %d keys to merge, or a list of those", FEW__YAML_MERGED_MAX);
        return n;
    }
    for (size_t i = 0; i < from->n; i++)
        if (!has_key(pairs, n, from->pairs[i].key)) pairs[n++] = from->pairs[i];
    return n;
}

static size_t merge_value(struct builder *b, struct few__yaml_pair *pairs, size_t n,
                          const struct few__yaml *value)
{
    bool list = value->type == FEW__YAML_LIST && value->n <= FEW__YAML_MERGED_MAX;
    if (!list) return merge_map(b, pairs, n, value);
    for (size_t i = 0; i < value->n; i++) n = merge_map(b, pairs, n, value->items[i]);
    return n;
}

/* How many pairs a merge value can add. */
static size_t merge_room(const struct few__yaml *value)
{
    return FEW__YAML_MERGED_MAX *
           (value->type == FEW__YAML_LIST && value->n <= FEW__YAML_MERGED_MAX ? value->n : 1);
}

/* Explicit pairs first, in their order; then what is merged in. A second << of a map counts as an own key. */
static void close_map(struct builder *b, const struct frame *frame)
{
    const struct few__yaml *merge = NULL;
    size_t room = frame->n / 2, n = 0;
    for (const struct child *c = frame->first; c && !merge; c = c->next->next)
        if (is_merge(c->node)) merge = c->next->node;
    if (merge) room += merge_room(merge);
    struct few__yaml_pair *pairs = FEW__ARENA_NEW(b->arena, struct few__yaml_pair, room);
    if (!pairs) {
        no_memory(b);
        return;
    }
    for (const struct child *c = frame->first; c; c = c->next->next)
        if (c->next->node != merge || !is_merge(c->node))
            pairs[n++] = (struct few__yaml_pair){.key = c->node, .value = c->next->node};
    if (merge && count_nodes(b, room)) n = merge_value(b, pairs, n, merge);
    frame->node->pairs = pairs;
    frame->node->n = n;
}

static void close_list(struct builder *b, const struct frame *frame)
{
    const struct few__yaml **items = FEW__ARENA_NEW(b->arena, const struct few__yaml *, frame->n);
    if (!items) {
        no_memory(b);
        return;
    }
    size_t n = 0;
    for (const struct child *c = frame->first; c; c = c->next) items[n++] = c->node;
    frame->node->items = items;
    frame->node->n = n;
}

/* ---- nodes ---- */

/* A finished node becomes the root or a child of what is open. */
static void attach(struct builder *b, const struct few__yaml *node)
{
    if (b->depth == 0) {
        b->root = node;
        return;
    }
    struct frame *frame = &b->frames[b->depth - 1];
    struct child *child = FEW__ARENA_NEW(b->arena, struct child, 1);
    if (!child) {
        no_memory(b);
        return;
    }
    child->node = node;
    if (frame->last) frame->last->next = child;
    else frame->first = child;
    frame->last = child;
    frame->n++;
}

/* libfyaml gives the place after a star or a quote. */
static struct few__place place_before(struct builder *b, struct fy_event *event)
{
    struct few__place place = place_of(b, event);
    if (place.column > 1) place.column--;
    return place;
}

static const char *token_text(struct builder *b, struct fy_token *token)
{
    size_t n = 0;
    const char *text = token ? fy_token_get_text(token, &n) : NULL;
    const char *copy = few__arena_strndup(b->arena, text ? text : "", text ? n : 0);
    if (!copy) no_memory(b);
    return copy;
}

static void set_anchor(struct builder *b, const char *name, const struct few__yaml *node)
{
    if (b->n_anchors == FEW__YAML_ANCHORS_MAX) {
        few__problem(b->problems, node->place, NULL, "more", "at most %d anchors", FEW__YAML_ANCHORS_MAX);
        return;
    }
    b->anchors[b->n_anchors++] = (struct anchor){.name = name, .node = node};
}

static struct few__yaml *new_node(struct builder *b, struct fy_event *event, struct fy_token *tag)
{
    struct few__yaml *node = FEW__ARENA_NEW(b->arena, struct few__yaml, 1);
    if (!node) {
        no_memory(b);
        return NULL;
    }
    node->place = place_of(b, event);
    const char *text = tag ? token_text(b, tag) : NULL;
    if (text)
        few__problem(b->problems, node->place, NULL, few__quoted(b->arena, text), "a value without a tag");
    return count_nodes(b, 1) ? node : NULL;
}

static void add_scalar(struct builder *b, struct fy_event *event)
{
    struct few__yaml *node = new_node(b, event, event->scalar.tag);
    if (!node) return;
    struct fy_token *value = event->scalar.value;
    node->type = FEW__YAML_TEXT;
    enum fy_scalar_style style = value ? fy_token_scalar_style(value) : FYSS_PLAIN;
    node->plain = style == FYSS_PLAIN;
    if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) node->place = place_before(b, event);
    node->text = token_text(b, value);
    if (!node->text) return;
    if (value && strlen(node->text) != fy_token_get_text_length(value))
        few__problem(b->problems, node->place, NULL, few__quoted(b->arena, node->text),
                     "a text without a NUL character");
    const char *anchor = event->scalar.anchor ? token_text(b, event->scalar.anchor) : NULL;
    if (anchor) set_anchor(b, anchor, node);
    attach(b, node);
}

static void add_alias(struct builder *b, struct fy_event *event)
{
    const char *name = token_text(b, event->alias.anchor);
    for (size_t i = b->n_anchors; name && i-- > 0;) {
        if (strcmp(b->anchors[i].name, name) != 0) continue;
        attach(b, b->anchors[i].node);
        return;
    }
    if (!name) return;
    few__problem(b->problems, place_before(b, event), NULL, few__quoted(b->arena, name),
                 "an anchor that stands before its alias");
    struct few__yaml *node = new_node(b, event, NULL);
    if (!node) return;
    node->place = place_before(b, event);
    node->text = "";
    node->plain = true;
    attach(b, node);
}

static void open_frame(struct builder *b, struct fy_event *event, enum few__yaml_type type,
                       struct fy_token *anchor, struct fy_token *tag)
{
    struct few__yaml *node = new_node(b, event, tag);
    if (!node) return;
    node->type = type;
    if (b->depth == FEW__YAML_DEPTH_MAX) {
        b->status =
            few__fail(b->err, FEW_ELIMIT, "%s:%d:%d: expected at most %d levels of nesting, found more",
                      b->problems->file, node->place.line, node->place.column, FEW__YAML_DEPTH_MAX);
        return;
    }
    b->frames[b->depth++] = (struct frame){.node = node, .anchor = anchor ? token_text(b, anchor) : NULL};
}

static void close_frame(struct builder *b)
{
    assert(b->depth > 0 && "the parser ends what it never began");
    struct frame frame = b->frames[--b->depth];
    if (frame.node->type == FEW__YAML_MAP) close_map(b, &frame);
    else close_list(b, &frame);
    if (frame.anchor) set_anchor(b, frame.anchor, frame.node);
    if (b->status == FEW_OK) attach(b, frame.node);
}

static void add_event(struct builder *b, struct fy_event *event)
{
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (++b->n_documents == 2)
            few__problem(b->problems, place_of(b, event), NULL, "a second one", "one YAML document");
        break;
    case FYET_SCALAR: add_scalar(b, event); break;
    case FYET_ALIAS: add_alias(b, event); break;
    case FYET_MAPPING_START:
        open_frame(b, event, FEW__YAML_MAP, event->mapping_start.anchor, event->mapping_start.tag);
        break;
    case FYET_SEQUENCE_START:
        open_frame(b, event, FEW__YAML_LIST, event->sequence_start.anchor, event->sequence_start.tag);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: close_frame(b); break;
    case FYET_STREAM_END: b->ended = true; break;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_DOCUMENT_END: break;
    }
}

/* ---- reading ---- */

/* Bytes of the UTF-8 character that begins at s, 0 if none does. NUL is none here: no manifest needs it. */
static size_t character_bytes(const unsigned char *s, const unsigned char *end)
{
    static const uint32_t lowest[5] = {0, 1, 0x80, 0x800, 0x10000};
    size_t n = *s == 0 ? 0 : *s < 0x80 ? 1 : *s >> 5 == 6 ? 2 : *s >> 4 == 14 ? 3 : *s >> 3 == 30 ? 4 : 0;
    if (n == 0 || (size_t)(end - s) < n) return 0;
    uint32_t code = n == 1 ? *s : *s & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    return code < lowest[n] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : n;
}

/* libfyaml stops at some bad bytes without a word, so that a check comes first. */
static void check_text(struct builder *b, const char *bytes, size_t n)
{
    struct few__place place = {.line = 1, .column = 1};
    const unsigned char *s = (const unsigned char *)bytes, *end = s + n;
    for (size_t step; s < end; s += step) {
        step = character_bytes(s, end);
        if (step == 0) {
            b->malformed = true;
            few__problem(b->problems, place, NULL, few__arena_printf(b->arena, "byte 0x%02X", *s),
                         "UTF-8 text");
            return;
        }
        place.column = *s == '\n' ? 1 : place.column + 1;
        place.line += *s == '\n';
    }
}

static void report_syntax(struct builder *b, struct fy_diag *diag)
{
    void *next = NULL;
    size_t n = 0;
    for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(diag, &next)); n++) {
        struct few__place place = {.line = e->line > 0 ? e->line : 0,
                                   .column = e->column > 0 ? e->column : 0};
        few__problem(b->problems, place, NULL, e->msg ? e->msg : "a mistake", "well-formed YAML");
    }
    if (n == 0)
        few__problem(b->problems, (struct few__place){0}, NULL, "what the parser cannot read",
                     "well-formed YAML");
}

static void parse(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *event;
    while (b->status == FEW_OK && b->n_documents < 2 && (event = fy_parser_parse(parser))) {
        add_event(b, event);
        fy_parser_event_free(parser, event);
    }
    if (b->status != FEW_OK || b->n_documents == 2 || b->ended) return;
    b->malformed = true;
    if (fy_parser_get_stream_error(parser)) report_syntax(b, diag);
    else no_memory(b); // the parser stopped without a word
}

enum few_status few__yaml_read(const char *bytes, size_t n, struct few__arena *arena,
                               struct few__problems *problems, const struct few__yaml **root,
                               struct few_error *err)
{
    *root = NULL;
    struct few__yaml *empty = FEW__ARENA_NEW(arena, struct few__yaml, 1);
    struct builder *b = FEW__ARENA_NEW(arena, struct builder, 1);
    struct fy_diag *diag = fy_diag_create(&(struct fy_diag_cfg){.level = FYET_ERROR, .module_mask = ~0u});
    struct fy_parser *parser = NULL;
    enum few_status status = few__no_memory(err, "manifest");
    if (!empty || !b || !diag) goto out;
    fy_diag_set_collect_errors(diag, true);
    parser = fy_parser_create(&(struct fy_parse_cfg){.flags = FYPCF_QUIET | FYPCF_JSON_NONE, .diag = diag});
    if (!parser || fy_parser_set_string(parser, bytes, n) != 0) goto out;
    empty->type = FEW__YAML_MAP;
    empty->place = (struct few__place){.line = 1, .column = 1};
    *b = (struct builder){.arena = arena, .problems = problems, .err = err};
    check_text(b, bytes, n);
    if (!b->malformed) parse(b, parser, diag);
    status = b->status;
    if (status == FEW_OK && !b->malformed) *root = b->root ? b->root : empty;
out:
    if (parser) fy_parser_destroy(parser);
    if (diag) fy_diag_destroy(diag);
    return status;
}

const struct few__yaml *few__yaml_get(const struct few__yaml *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (map->pairs[i].key->type == FEW__YAML_TEXT && strcmp(map->pairs[i].key->text, key) == 0)
            return map->pairs[i].value;
    return NULL;
}

const struct few__yaml *few__yaml_map(const struct few__yaml *node, const char *key)
{
    const struct few__yaml *at = node->type == FEW__YAML_MAP ? few__yaml_get(node, key) : NULL;
    return at && at->type == FEW__YAML_MAP ? at : NULL;
}

const char *few__yaml_found(struct few__arena *arena, const struct few__yaml *node)
{
    if (node->type == FEW__YAML_LIST) return few__arena_printf(arena, "a list of %zu", node->n);
    if (node->type == FEW__YAML_MAP) return few__arena_printf(arena, "a map of %zu keys", node->n);
    if (!node->plain || !strchr("+-.0123456789", node->text[0])) return few__quoted(arena, node->text);
    return node->text[0] == '\0' ? "nothing"
                                 : few__arena_printf(arena, "%.60s", node->text); // a number: no quotes
}
