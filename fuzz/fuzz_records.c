// SPDX-License-Identifier: Apache-2.0
/* The bytes are a list of records. What is taken can be found by name, and its files stand where the list does. */
#include <string.h>

#include <fewer/items.h>

#include "fuzz.h"
#include "source/items.h"

static void look(const struct few__record *record, const char *folder)
{
    const struct few__place_in *const places[] = {&record->image, &record->sound};
    char digest[65];
    struct few_error err;
    for (size_t i = 0; i < 2; i++) {
        const struct few__place_in *in = places[i];
        if (!in->path) continue;
        fuzz_must(in->path[0] == '/' && strlen(in->path) < FEW_PATH_MAX);
        fuzz_must(in->until_us < 0 || in->until_us > in->from_us);
        fuzz_must(in->frame < 0 || (in->from_us < 0 && in->frame <= FEW__FRAME_MAX));
    }
    fuzz_must(!record->text || strlen(record->text) <= FEW__TEXT_MAX);
    fuzz_must(record->image.path || record->sound.path || record->text || record->text_path);
    fuzz_must(!record->text_path || strncmp(record->text_path, folder, strlen(folder)) == 0 ||
              record->text_path[0] == '/');
    bool exists = few__record_looks(record).exists;
    fuzz_must(few__record_digest(record, digest, &err) != FEW_OK || (exists && strlen(digest) == 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_path("list.jsonl"), *folder = fuzz_path("");
    const struct few_items_opts opts = {.size = sizeof opts, .env = *fuzz_env()};
    struct few_items *items;
    struct few_error err;
    fuzz_write(fuzz_path("a.jpg"), "abc", 3);
    fuzz_write(path, data, size);
    enum few_status status = few_items_open(&path, 1, &opts, &items, &err);
    if (status != FEW_OK) {
        fuzz_must(err.message[0] && err.code == status);
        return 0;
    }
    for (size_t i = 0; i < few_items_count(items); i++) {
        const struct few__record *record = few__items_record(items, few_items_path(items, i));
        fuzz_must(record && strcmp(record->name, few_items_path(items, i)) == 0);
        look(record, folder);
    }
    struct few__item item;
    size_t n = 0;
    while ((status = few__items_next(items, &item, &err)) == FEW_OK) n += item.record != NULL;
    fuzz_must(status == FEW_END && n == few_items_count(items));
    few_items_close(items);
    return 0;
}
