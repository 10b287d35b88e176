/* INI files in and out. The one home of iniparser.
 *
 * iniparser accepts unknown keys, lets the last duplicate win, hides keys before
 * the first section and drops what follows a closing quote. So a scan of our own
 * checks the lines and notes where each key stands; iniparser reads the values;
 * prism_params_set judges them. Not thread-safe (iniparser's error callback). */
#ifndef PRISM_APP_CONFIG_H
#define PRISM_APP_CONFIG_H

#include "base/file.h"
#include "base/params.h"

/* Read `path` over the values in `params`. PRISM_IO when it cannot be read;
 * PRISM_FORMAT or PRISM_INVALID with file:line for bad syntax, unknown or
 * repeated keys and bad values. `params` may be partly changed on failure. */
prism_status_t prism_config_read(const char *path, prism_params_t *params);

/* Append an INI file with a comment for every key that prism_config_read turns
 * back into `params`. */
prism_status_t prism_config_format(const prism_params_t *params, prism_text_t *out);

#endif
