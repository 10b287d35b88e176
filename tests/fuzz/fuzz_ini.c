/* Any bytes as an INI file: a clean error with file:line, or parameters that survive being
 * written and read again. */
#include <string.h>

#include "app/config.h"
#include "base/mem.h"
#include "fuzz_input.h"

static void check_round_trip(const prism_params_t *params) {
  prism_text_t first = {0}, second = {0};
  prism_params_t again;
  char path[64];
  prism_status_t status = prism_config_format(params, &first);
  if (status != PRISM_OK) { /* a text with both kinds of quotes, or longer than a line */
    FUZZ_REQUIRE(status == PRISM_INVALID);
    prism_text_free(&first);
    return;
  }
  int copy = fuzz_open(first.data, first.length, path);
  prism_params_default(&again);
  FUZZ_REQUIRE(prism_config_read(path, &again) == PRISM_OK);
  close(copy);
  FUZZ_REQUIRE(prism_config_format(&again, &second) == PRISM_OK);
  FUZZ_REQUIRE(first.length == second.length);
  FUZZ_REQUIRE(memcmp(first.data, second.data, first.length) == 0);
  prism_text_free(&first);
  prism_text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  int file = fuzz_open(data, size, path);
  prism_params_t params;
  prism_params_default(&params);
  prism_error_clear();
  prism_status_t status = prism_config_read(path, &params);
  close(file);
  if (status == PRISM_OK) {
    check_round_trip(&params);
  } else {
    FUZZ_REQUIRE(status == PRISM_FORMAT || status == PRISM_INVALID);
    FUZZ_REQUIRE(strstr(prism_error_text(), path) != NULL);
  }
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return 0;
}
