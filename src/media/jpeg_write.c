// SPDX-License-Identifier: Apache-2.0
/* JPEG by libjpeg-turbo, optimised Huffman tables. The library grows its own buffer with malloc, so it writes into a room
 * of ours instead, large enough for any picture of that size. */
#include "media/jpeg_write.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "core/error.h"

enum { HEAD_MAX = 4096, BYTES_A_PIXEL = 8 }; // more than noise takes at quality 100

struct writer {
    struct jpeg_compress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_destination_mgr room;
    jmp_buf failed;
};

static void fail(j_common_ptr lib)
{
    struct writer *w = lib->client_data;
    longjmp(w->failed, 1);
}

static void say_nothing(j_common_ptr lib)
{
    (void)lib;
}

static void do_nothing(j_compress_ptr lib)
{
    (void)lib;
}

static boolean no_more_room(j_compress_ptr lib)
{
    struct writer *w = lib->client_data;
    longjmp(w->failed, 1);
}

// False: it failed. A function of its own, so that no variable of the caller outlives the jump.
static bool write_rows(struct writer *w, const uint8_t *rgb, int width, int height, int quality)
{
    w->lib.err = jpeg_std_error(&w->errors);
    w->lib.client_data = w;
    w->errors.error_exit = fail;
    w->errors.output_message = say_nothing;
    if (setjmp(w->failed)) return false;
    jpeg_create_compress(&w->lib); // keeps err and client_data, clears the rest
    w->room.init_destination = do_nothing;
    w->room.empty_output_buffer = no_more_room;
    w->room.term_destination = do_nothing;
    w->lib.dest = &w->room;
    w->lib.image_width = (JDIMENSION)width;
    w->lib.image_height = (JDIMENSION)height;
    w->lib.input_components = 3;
    w->lib.in_color_space = JCS_RGB;
    jpeg_set_defaults(&w->lib);
    jpeg_set_quality(&w->lib, quality, TRUE);
    w->lib.optimize_coding = TRUE;
    jpeg_start_compress(&w->lib, TRUE);
    while (w->lib.next_scanline < w->lib.image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(rgb + (size_t)w->lib.next_scanline * (size_t)width * 3);
        jpeg_write_scanlines(&w->lib, &row, 1);
    }
    jpeg_finish_compress(&w->lib);
    return true;
}

enum few_status few__jpeg_write(const uint8_t *rgb, int width, int height, int quality,
                                struct few__arena *arena, const uint8_t **bytes, size_t *n,
                                struct few_error *err)
{
    size_t room = HEAD_MAX + (size_t)width * (size_t)height * BYTES_A_PIXEL;
    struct writer *w = FEW__ARENA_NEW(arena, struct writer, 1);
    uint8_t *file = few__arena_alloc(arena, room, 1);
    if (!w || !file) return few__no_memory(err, "picture");
    w->room.next_output_byte = file;
    w->room.free_in_buffer = room;
    bool right = write_rows(w, rgb, width, height, quality);
    jpeg_destroy_compress(&w->lib);
    if (!right) return few__no_memory(err, "picture");
    *bytes = file;
    *n = room - w->room.free_in_buffer;
    return FEW_OK;
}
