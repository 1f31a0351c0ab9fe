// SPDX-License-Identifier: Apache-2.0
// The slots of ONNX Runtime's table that we use, against its own header where one is installed.
#include "backend/onnx_api.h"
#include "support/support.h"

#if __has_include(<onnxruntime_c_api.h>)
#define HAVE_HEADER 1
#include <onnxruntime_c_api.h>
#else
#define HAVE_HEADER 0
#endif

#if HAVE_HEADER

static void test_slots(void **state)
{
    (void)state;
    assert_int_equal(offsetof(OrtApi, GetErrorCode), 1 * sizeof(void *));
    assert_int_equal(offsetof(OrtApi, GetErrorMessage), 2 * sizeof(void *));
#define CHECK(slot, name, other) assert_int_equal(offsetof(OrtApi, name), (slot) * sizeof(void *));
    FEW__ONNX_CALLS(CHECK)
    FEW__ONNX_RELEASES(CHECK)
#undef CHECK
}

static void test_constants(void **state)
{
    (void)state;
    assert_int_equal(ONNX_LOG_FATAL, ORT_LOGGING_LEVEL_FATAL);
    assert_int_equal(ONNX_SEQUENTIAL, ORT_SEQUENTIAL);
    assert_int_equal(ONNX_OPTIMIZE_ALL, ORT_ENABLE_ALL);
    assert_int_equal(ONNX_ALLOCATOR_ARENA, OrtArenaAllocator);
    assert_int_equal(ONNX_MEMORY_DEFAULT, OrtMemTypeDefault);
    assert_int_equal(ONNX_FLOAT, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
}

#else

static void test_slots(void **state)
{
    (void)state;
    skip(); // no onnxruntime_c_api.h on this machine
}

static void test_constants(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slots), cmocka_unit_test(test_constants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
