/* prism config: print the default parameters, or check a file. */
#include <stdio.h>
#include <string.h>

#include "app/config.h"
#include "app/print.h"
#include "app/tool.h"

static const char help[] =
    "Usage: prism config         print the default parameters as an INI file\n"
    "       prism config FILE    check an INI file; errors name file and line\n";

static prism_status_t print_defaults(void) {
  prism_params_t params;
  prism_text_t text = {0};
  prism_params_default(&params);
  prism_status_t status = prism_config_format(&params, &text);
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

static prism_status_t check_file(const char *path) {
  prism_params_t params;
  prism_text_t text = {0};
  prism_params_default(&params);
  PRISM_TRY(prism_config_read(path, &params));
  prism_status_t status = prism_text_add(&text, "%s: valid\n", path);
  /* The command line may still supply what is missing. */
  if (status == PRISM_OK && prism_params_check(&params) != PRISM_OK) {
    status = prism_text_add(&text, "note: as it stands, %s\n", prism_error_text());
  }
  if (status == PRISM_OK) status = prism_print_text(&text);
  prism_text_free(&text);
  return status;
}

int prism_tool_config(int argc, char *const *argv) {
  if (argc > 2) return prism_tool_usage("config takes at most one file");
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    fputs(help, stdout);
    return 0;
  }
  if (argc == 2 && argv[1][0] == '-') {
    return prism_tool_usage("config: unknown option %s", argv[1]);
  }
  prism_status_t status = argc == 2 ? check_file(argv[1]) : print_defaults();
  return status == PRISM_OK ? 0 : prism_tool_fail(status);
}
