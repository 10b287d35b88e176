#include "app/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum { NAME_BYTES_MAX = 120, STEM_TRIES = 999 };

/* Length of `text` without `ending`; the whole length when it ends otherwise. */
static size_t length_without(const char *text, size_t length, const char *ending) {
  size_t tail = strlen(ending);
  if (length > tail && memcmp(text + length - tail, ending, tail) == 0) return length - tail;
  return length;
}

prism_status_t prism_outputs_graph_name(const char *graph_path, char **out) {
  if (strcmp(graph_path, "-") == 0) return prism_string_format(out, "stdin");
  const char *slash = strrchr(graph_path, '/');
  const char *base = slash == NULL ? graph_path : slash + 1;
  size_t length = length_without(base, strlen(base), ".gz");
  length = length_without(base, length, ".col");
  if (length > NAME_BYTES_MAX) length = NAME_BYTES_MAX;
  return prism_string_format(out, "%.*s", (int)length, base);
}

/* "" for a single run, else "-r001" and so on. */
static void run_suffix(const prism_params_t *params, int64_t index, char out[16]) {
  out[0] = '\0';
  if (params->run.runs > 1) snprintf(out, 16, "-r%03d", (int)(index + 1) % 1000);
}

static prism_status_t is_taken(const char *stem, const char *suffix, bool *taken) {
  static const char *const endings[] = {".h5", ".jsonl", ".sol", ".ckpt.h5"};
  *taken = false;
  for (size_t i = 0; i < sizeof endings / sizeof endings[0] && !*taken; ++i) {
    char *path = NULL;
    PRISM_TRY(prism_string_format(&path, "%s%s%s", stem, suffix, endings[i]));
    *taken = prism_file_exists(path);
    prism_free(path);
  }
  return PRISM_OK;
}

/* Two programs started in the same second must not choose the same name: the
 * first .jsonl is created exclusively. */
static prism_status_t reserve(const char *stem, const char *suffix, char **path, bool *taken) {
  PRISM_TRY(prism_string_format(path, "%s%s.jsonl", stem, suffix));
  int file = open(*path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (file >= 0) {
    close(file);
    *taken = false;
    return PRISM_OK;
  }
  prism_status_t status = PRISM_OK;
  *taken = errno == EEXIST;
  if (!*taken) {
    status = prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__, "%s: %s", *path,
                                strerror(errno));
  }
  prism_free(*path);
  *path = NULL;
  return status;
}

static prism_status_t try_default(const prism_params_t *params, const char *stem,
                                  prism_stem_t *out, bool *taken) {
  char suffix[16];
  run_suffix(params, 0, suffix);
  PRISM_TRY(is_taken(stem, suffix, taken));
  if (*taken || !params->telemetry.enabled) return PRISM_OK;
  return reserve(stem, suffix, &out->reserve, taken);
}

static prism_status_t default_stem(const prism_params_t *params, const char *graph_path,
                                   uint64_t seed, prism_stem_t *out) {
  char stamp[32];
  char *name = NULL, *stem = NULL;
  prism_clock_stamp(stamp, sizeof stamp);
  PRISM_TRY(prism_outputs_graph_name(graph_path, &name));
  prism_status_t status;
  PRISM_TRY_GOTO(status, prism_file_make_folders("prism-runs"), done);
  for (int i = 1; i <= STEM_TRIES; ++i) {
    char extra[16] = "";
    if (i > 1) snprintf(extra, sizeof extra, "-%d", i);
    PRISM_TRY_GOTO(status,
                   prism_string_format(&stem, "prism-runs/%s_%s_s%" PRIu64 "%s", name, stamp, seed,
                                       extra),
                   done);
    bool taken;
    PRISM_TRY_GOTO(status, try_default(params, stem, out, &taken), done);
    if (!taken) {
      out->path = stem;
      stem = NULL;
      goto done;
    }
    prism_free(stem);
    stem = NULL;
  }
  status = prism_error_record(PRISM_IO, __FILE__, __LINE__, __func__,
                              "prism-runs holds too many runs of this second: use --output");
done:
  prism_free(stem);
  prism_free(name);
  return status;
}

prism_status_t prism_stem_create(const prism_params_t *params, const char *graph_path,
                                 uint64_t seed, prism_stem_t *out) {
  const char *output = params->run.output;
  memset(out, 0, sizeof *out);
  if (!params->telemetry.enabled && params->run.solution[0] != '\0') {
    const char *solution = params->run.solution;
    size_t length = length_without(solution, strlen(solution), ".sol");
    return prism_string_format(&out->path, "%.*s", (int)length, solution);
  }
  if (output[0] == '\0') return default_stem(params, graph_path, seed, out);
  size_t length = strlen(output);
  size_t stem = length_without(output, length, ".h5");
  if (stem == length || output[stem - 1] == '/') {
    PRISM_FAIL(PRISM_INVALID, "--output %s: the name must be FILE.h5", output);
  }
  out->named = true;
  return prism_string_format(&out->path, "%.*s", (int)stem, output);
}

void prism_stem_release(prism_stem_t *stem) {
  struct stat info;
  if (stem->reserve != NULL && stat(stem->reserve, &info) == 0 && info.st_size == 0) {
    unlink(stem->reserve); /* nobody wrote to it */
  }
  prism_free(stem->reserve);
  prism_free(stem->path);
  memset(stem, 0, sizeof *stem);
}

/* `name` with the suffix of the run before its ending; or the stem with suffix and ending. */
static prism_status_t output_name(const char *name, const prism_stem_t *stem, const char *suffix,
                                  const char *ending, char **out) {
  if (name[0] == '\0') return prism_string_format(out, "%s%s%s", stem->path, suffix, ending);
  size_t length = length_without(name, strlen(name), ending);
  return prism_string_format(out, "%.*s%s%s", (int)length, name, suffix, name + length);
}

prism_status_t prism_outputs_create(const prism_params_t *params, const prism_stem_t *stem,
                                    int64_t index, prism_outputs_t *out) {
  char suffix[16];
  run_suffix(params, index, suffix);
  memset(out, 0, sizeof *out);
  prism_status_t status = PRISM_OK;
  if (params->telemetry.enabled) {
    PRISM_TRY_GOTO(status, output_name("", stem, suffix, ".h5", &out->run_path), failed);
    PRISM_TRY_GOTO(status, output_name("", stem, suffix, ".jsonl", &out->jsonl_path), failed);
  }
  PRISM_TRY_GOTO(status,
                 output_name(params->run.solution, stem, suffix, ".sol", &out->solution_path),
                 failed);
  if (params->checkpoint.enabled) {
    const char *name = params->checkpoint.file;
    size_t length = strlen(name);
    bool short_name = length_without(name, length, ".ckpt.h5") == length &&
                      length_without(name, length, ".h5") < length;
    PRISM_TRY_GOTO(status,
                   output_name(name, stem, suffix, short_name ? ".h5" : ".ckpt.h5",
                               &out->checkpoint_path),
                   failed);
  }
  return PRISM_OK;
failed:
  prism_outputs_release(out);
  return status;
}

void prism_outputs_release(prism_outputs_t *outputs) {
  prism_free(outputs->run_path);
  prism_free(outputs->jsonl_path);
  prism_free(outputs->solution_path);
  prism_free(outputs->checkpoint_path);
  memset(outputs, 0, sizeof *outputs);
}

/* The same file that exists. */
static bool is_file(const char *a, const char *b) {
  struct stat one, two;
  return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev &&
         one.st_ino == two.st_ino;
}

/* The same name in the same folder, however that is written; folders exist. */
static bool is_place(const char *a, const char *b) {
  const char *path[2] = {a, b}, *name[2];
  struct stat folder[2];
  for (int i = 0; i < 2; ++i) {
    char text[PRISM_PARAM_TEXT_BYTES + 32];
    const char *slash = strrchr(path[i], '/');
    name[i] = slash == NULL ? path[i] : slash + 1;
    snprintf(text, sizeof text, "%.*s.", (int)(name[i] - path[i]), path[i]);
    if (stat(text, &folder[i]) != 0) return strcmp(a, b) == 0;
  }
  return strcmp(name[0], name[1]) == 0 && folder[0].st_dev == folder[1].st_dev &&
         folder[0].st_ino == folder[1].st_ino;
}

bool prism_outputs_goes_on(const prism_params_t *params, const prism_outputs_t *outputs) {
  const char *resume = params->run.resume;
  return resume[0] != '\0' && outputs->checkpoint_path != NULL &&
         is_place(outputs->checkpoint_path, resume);
}

static prism_status_t check_path(const prism_params_t *params, const char *path, bool named,
                                 const char *graph) {
  const char *resume = params->run.resume;
  if (!named) return PRISM_OK;
  if (strcmp(graph, "-") != 0 && is_file(path, graph)) {
    PRISM_FAIL(PRISM_INVALID, "%s: this is the graph to be colored", path);
  }
  if (resume[0] != '\0' && is_file(path, resume)) {
    PRISM_FAIL(PRISM_INVALID, "%s: this is the checkpoint that the run is to go on from", path);
  }
  if (!params->run.force && prism_file_exists(path)) {
    PRISM_FAIL(PRISM_INVALID, "%s: exists already (--force overwrites it)", path);
  }
  return PRISM_OK;
}

/* All that a run writes; what it has not is left out. [out] path [OUTPUTS]; returns how many */
enum { OUTPUTS = 4 };

static int list_outputs(const prism_outputs_t *outputs, const char **path) {
  const char *all[OUTPUTS] = {outputs->run_path, outputs->jsonl_path, outputs->solution_path,
                              outputs->checkpoint_path};
  int count = 0;
  for (int i = 0; i < OUTPUTS; ++i) {
    if (all[i] != NULL) path[count++] = all[i];
  }
  return count;
}

static prism_status_t check_run(const prism_params_t *params, const prism_stem_t *stem,
                                const char *graph, const prism_outputs_t *outputs) {
  const char *path[OUTPUTS], *checkpoint = outputs->checkpoint_path;
  const int count = list_outputs(outputs, path);
  for (int i = 0; i < count; ++i) {
    PRISM_TRY(prism_file_check_writable(path[i]));
    for (int j = 0; j < i; ++j) {
      if (is_place(path[i], path[j]))
        PRISM_FAIL(PRISM_INVALID, "%s: two outputs of this name", path[i]);
    }
  }
  for (int i = 0; i < count; ++i) {
    bool named = stem->named || (path[i] == outputs->solution_path &&
                                 params->run.solution[0] != '\0');
    if (path[i] == checkpoint) {
      if (prism_outputs_goes_on(params, outputs)) continue;
      named = named || params->checkpoint.file[0] != '\0' ||
              (!params->telemetry.enabled && params->run.solution[0] != '\0');
    }
    PRISM_TRY(check_path(params, path[i], named, graph));
  }
  return PRISM_OK;
}

prism_status_t prism_outputs_check(const prism_params_t *params, const prism_stem_t *stem,
                                   const char *graph_path) {
  const char *file = params->checkpoint.file;
  if (file[0] != '\0' && strcmp(file, params->run.resume) != 0 &&
      (length_without(file, strlen(file), ".h5") == strlen(file) ||
       file[strlen(file) - strlen(".h5") - 1] == '/')) {
    PRISM_FAIL(PRISM_INVALID, "--checkpoint %s: the name must be FILE.h5", file);
  }
  for (int64_t i = 0; i < params->run.runs; ++i) {
    prism_outputs_t outputs;
    PRISM_TRY(prism_outputs_create(params, stem, i, &outputs));
    prism_status_t status = check_run(params, stem, graph_path, &outputs);
    prism_outputs_release(&outputs);
    PRISM_TRY(status);
  }
  return PRISM_OK;
}
