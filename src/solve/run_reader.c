#include "solve/run_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "solve/run_reader_h5.h"
#include "solve/run_reader_jsonl.h"

struct prism_run_reader {
  char *path;         /* of the file that is read */
  prism_run_h5_t *h5; /* one of the two */
  prism_run_jsonl_t *jsonl;
  prism_run_facts_t facts;
  prism_run_head_t head; /* points into the facts */
  dev_t device;          /* of the file that was opened */
  ino_t inode;
};

/* ---- Files and locks ---------------------------------------------------------------------- */

/* Name of the .jsonl beside a run file. */
static prism_status_t jsonl_of(const char *path, char **out) {
  if (prism_file_ends_with(path, ".jsonl")) return prism_string_format(out, "%s", path);
  int stem = (int)strlen(path) - (prism_file_ends_with(path, ".h5") ? 3 : 0);
  return prism_string_format(out, "%.*s.jsonl", stem, path);
}

bool prism_run_on_network(const char *path) {
  /* f_type of statfs(2), and of the sources of these file systems. */
  static const uint32_t network[] = {
      0x6969u /* NFS */,        0xFF534D42u /* CIFS */, 0xFE534D42u /* SMB2 */, 0x517Bu /* SMB */,
      0x5346414Fu /* AFS */,    0x6B414653u /* kAFS */, 0x01021997u /* 9P */,
      0x00C36400u /* Ceph */,   0x65735546u /* FUSE */, 0x0BD00BD0u /* Lustre */,
      0x47504653u /* GPFS */,   0x19830326u /* BeeGFS */, 0x20030528u /* OrangeFS */,
      0xAAD7AAEAu /* PanFS */,  0x73757245u /* Coda */, 0x564Cu /* NCP */};
  struct statfs info;
  if (statfs(path, &info) != 0) return false;
  for (size_t i = 0; i < sizeof network / sizeof network[0]; ++i)
    if ((uint32_t)info.f_type == network[i]) return true;
  return false;
}

bool prism_run_locked(const char *path, bool *known) {
  char *jsonl = NULL;
  *known = false;
  if (jsonl_of(path, &jsonl) != PRISM_OK) return false;
  int fd = open(jsonl, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  prism_free(jsonl);
  if (fd < 0) return false;
  bool held = false;
  if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
    flock(fd, LOCK_UN); /* at once: a run that starts now wants it for itself */
    *known = true;
  } else {
    *known = held = errno == EWOULDBLOCK;
  }
  close(fd);
  return held;
}

prism_run_life_t prism_run_life(const prism_run_reader_t *reader) {
  if (prism_run_rows(reader, PRISM_RECORD_SUMMARY) > 0) return PRISM_RUN_ENDED;
  bool known = false;
  /* What took the file's name was its compressed form, or another run: nothing more comes. */
  struct stat now;
  if (stat(reader->path, &now) != 0 || now.st_dev != reader->device ||
      now.st_ino != reader->inode)
    return PRISM_RUN_ENDED;
  if (prism_run_locked(reader->path, &known)) return PRISM_RUN_LIVE;
  if (reader->h5 != NULL && !prism_run_h5_unclosed(reader->h5)) return PRISM_RUN_ENDED;
  return known ? PRISM_RUN_KILLED : PRISM_RUN_UNKNOWN;
}

/* ---- Opening ------------------------------------------------------------------------------- */

static void fill_head(prism_run_reader_t *self) {
  const prism_run_facts_t *facts = &self->facts;
  self->head = (prism_run_head_t){
      .schema_version = facts->schema_version,
      .created = facts->created != NULL ? facts->created : "",
      .has_seed = facts->has_seed,
      .seed = facts->seed,
      .graph_name = facts->graph_name != NULL ? facts->graph_name : "",
      .graph_hash = facts->graph_hash != NULL ? facts->graph_hash : "",
      .n = facts->n,
      .m = facts->m,
      .setting = facts->settings.pair,
      .settings = facts->settings.count,
      .build = facts->builds.pair,
      .builds = facts->builds.count,
      .rank = facts->rank,
      .ranks = facts->ranks};
}

static prism_status_t open_as(const char *path, bool jsonl, prism_run_reader_t **out) {
  struct stat info;
  if (stat(path, &info) != 0) PRISM_FAIL(PRISM_IO, "%s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode)) PRISM_FAIL(PRISM_IO, "%s is not a regular file", path);
  if (access(path, R_OK) != 0) PRISM_FAIL(PRISM_IO, "%s: %s", path, strerror(errno));
  prism_run_reader_t *self = NULL;
  PRISM_TRY(PRISM_ALLOC_ZERO(1, &self));
  self->device = info.st_dev;
  self->inode = info.st_ino;
  prism_status_t status = prism_string_format(&self->path, "%s", path);
  if (status == PRISM_OK)
    status = jsonl ? prism_run_jsonl_open(path, &self->facts, &self->jsonl)
                   : prism_run_h5_open(path, &self->facts, &self->h5);
  if (status != PRISM_OK) prism_run_close(&self);
  PRISM_TRY(status);
  fill_head(self);
  *out = self;
  return PRISM_OK;
}

/* The .jsonl of a run that has no end in sight on a network file system. */
static prism_status_t open_for_network(const char *path, prism_run_reader_t **out) {
  char *jsonl = NULL;
  prism_run_reader_t *reader = NULL;
  if (prism_run_on_network(path) && jsonl_of(path, &jsonl) == PRISM_OK &&
      open_as(jsonl, true, &reader) == PRISM_OK &&
      prism_run_rows(reader, PRISM_RECORD_SUMMARY) > 0)
    prism_run_close(&reader);
  prism_free(jsonl);
  if (reader == NULL) return open_as(path, false, out);
  *out = reader;
  return PRISM_OK;
}

prism_status_t prism_run_open(const char *path, prism_run_source_t source,
                              prism_run_reader_t **out) {
  if (source == PRISM_RUN_AUTO) {
    if (prism_file_ends_with(path, ".jsonl")) return open_as(path, true, out);
    return open_for_network(path, out);
  }
  if (source == PRISM_RUN_H5) return open_as(path, false, out);
  char *jsonl = NULL;
  PRISM_TRY(jsonl_of(path, &jsonl));
  prism_status_t status =
      prism_file_exists(jsonl)
          ? open_as(jsonl, true, out)
          : prism_error_record(PRISM_INVALID, __FILE__, __LINE__, __func__,
                               "%s does not exist", jsonl);
  prism_free(jsonl);
  return status;
}

void prism_run_close(prism_run_reader_t **reader) {
  prism_run_reader_t *self = *reader;
  if (self == NULL) return;
  prism_run_h5_close(&self->h5);
  prism_run_jsonl_close(&self->jsonl);
  prism_run_facts_release(&self->facts);
  prism_free(self->path);
  prism_free(self);
  *reader = NULL;
}

/* ---- Reading -------------------------------------------------------------------------------- */

const char *prism_run_path(const prism_run_reader_t *reader) { return reader->path; }

prism_run_source_t prism_run_source(const prism_run_reader_t *reader) {
  return reader->h5 != NULL ? PRISM_RUN_H5 : PRISM_RUN_JSONL;
}

const prism_run_head_t *prism_run_head(const prism_run_reader_t *reader) { return &reader->head; }

prism_status_t prism_run_refresh(prism_run_reader_t *reader) {
  if (reader->h5 != NULL) {
    PRISM_TRY(prism_run_h5_refresh(reader->h5));
    return PRISM_OK;
  }
  PRISM_TRY(prism_run_jsonl_refresh(reader->jsonl));
  fill_head(reader);
  return PRISM_OK;
}

int64_t prism_run_rows(const prism_run_reader_t *reader, prism_record_kind_t kind) {
  return reader->h5 != NULL ? prism_run_h5_rows(reader->h5, kind)
                            : prism_run_jsonl_rows(reader->jsonl, kind);
}

prism_status_t prism_run_read(prism_run_reader_t *reader, prism_record_kind_t kind, int64_t first,
                              int64_t count, void *rows) {
  int64_t all = prism_run_rows(reader, kind);
  if (first < 0 || count < 0 || first > all || count > all - first)
    PRISM_FAIL(PRISM_INTERNAL, "%s: rows that are not there were asked for", reader->path);
  if (count == 0) return PRISM_OK;
  if (reader->h5 != NULL) {
    PRISM_TRY(prism_run_h5_read(reader->h5, kind, first, count, rows));
    return PRISM_OK;
  }
  prism_run_jsonl_read(reader->jsonl, kind, first, count, rows);
  return PRISM_OK;
}

prism_status_t prism_run_read_new(prism_run_reader_t *reader, prism_record_kind_t kind,
                                  void **rows, int64_t *have) {
  const size_t bytes = prism_record_table(kind)->bytes;
  int64_t all = prism_run_rows(reader, kind);
  if (all <= *have) return PRISM_OK;
  PRISM_TRY(prism_grow_bytes(rows, (size_t)*have, (size_t)all, bytes));
  PRISM_TRY(prism_run_read(reader, kind, *have, all - *have,
                           (char *)*rows + (size_t)*have * bytes));
  *have = all;
  return PRISM_OK;
}

prism_status_t prism_run_colors(prism_run_reader_t *reader, int64_t index, int32_t *color) {
  if (reader->h5 == NULL)
    PRISM_FAIL(PRISM_UNSUPPORTED, "%s holds no colorings; the run file does", reader->path);
  PRISM_TRY(prism_run_h5_colors(reader->h5, index, reader->facts.n, color));
  return PRISM_OK;
}

int64_t prism_run_skipped(const prism_run_reader_t *reader) {
  return reader->jsonl != NULL ? prism_run_jsonl_skipped(reader->jsonl) : 0;
}
