/* The command line of prism-dist.
 *
 * Every parameter is reachable as --section.name VALUE (or =VALUE); those with an
 * alias also by it. Precedence: defaults < settings of the checkpoint that --resume names <
 * --config FILE < command line. */
#ifndef PRISM_APP_OPTIONS_H
#define PRISM_APP_OPTIONS_H

#include "base/params.h"
#include "solve/checkpoint.h"

typedef enum prism_action {
  PRISM_ACTION_RUN,
  PRISM_ACTION_HELP,
  PRISM_ACTION_VERSION,
  PRISM_ACTION_PRINT_CONFIG,
  PRISM_ACTION_LIST_DEVICES
} prism_action_t;

/* Plain bytes: rank 0 parses, the others get a copy. */
typedef struct prism_options {
  prism_action_t action;
  char graph[PRISM_PARAM_TEXT_BYTES]; /* "-": standard input; "" unless action is RUN */
  prism_params_t params;
  char note[256]; /* worth telling the user; "": nothing */
} prism_options_t;

/* PRISM_INVALID for usage errors; also all failures of prism_config_read. Where
 * params.run.resume comes out as the name of a checkpoint, rules across parameters are not
 * checked yet: some values are still to come from there. */
prism_status_t prism_options_parse(int argc, char *const *argv, prism_options_t *out);

/* The same again, over the settings of the checkpoint that params.run.resume names: all but
 * those that belong to one invocation (output, messages, --initial, --runs). The seed is that
 * of the run; another one that is asked for is PRISM_INVALID. */
prism_status_t prism_options_resume(int argc, char *const *argv,
                                    const prism_checkpoint_head_t *head, prism_options_t *out);

/* The text of --help, from the parameter table. */
prism_status_t prism_options_help(prism_text_t *out);

#endif
