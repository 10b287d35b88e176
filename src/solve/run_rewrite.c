#include "solve/run_rewrite.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "solve/h5_tools.h"

enum {
  BLOCK_BYTES = 4 << 20,
  MOST_NESTED = 8,     /* groups in groups */
  MOST_DIMENSIONS = 4,
  DEFLATE_LEVEL = 4,   /* measured: higher ones take longer and gain nothing on these tables */
  SLACK_BYTES = 1 << 20
};

typedef struct copier {
  const char *from, *to;
  int depth;
  bool deflates;
  bool created;        /* there may be something at `to` that is ours */
  prism_run_rescue_t *rescue;
  prism_status_t status; /* of an iteration */
} copier_t;

/* ---- Attributes --------------------------------------------------------------------- */

static prism_status_t copy_value(const copier_t *self, hid_t source, hid_t target, hid_t type,
                                 hid_t space) {
  size_t bytes = H5Tget_size(type);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  void *value = NULL;
  if (bytes == 0 || points < 0) return PRISM_H5_UNREADABLE(self->from, "reading an attribute");
  PRISM_TRY(prism_alloc_zero_bytes((size_t)points + 1, bytes, &value));
  prism_status_t status = PRISM_OK;
  if (H5Aread(source, type, value) < 0)
    status = PRISM_H5_UNREADABLE(self->from, "reading an attribute");
  else if (H5Awrite(target, type, value) < 0)
    status = PRISM_H5_FAILED(self->to, "writing an attribute");
  const bool variable = H5Tdetect_class(type, H5T_VLEN) > 0 || H5Tis_variable_str(type) > 0;
  if (variable && status == PRISM_OK) H5Dvlen_reclaim(type, space, H5P_DEFAULT, value);
  prism_free(value);
  return status;
}

typedef struct attributes {
  const copier_t *copier;
  hid_t target;
  prism_status_t status;
} attributes_t;

static herr_t copy_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user) {
  (void)info;
  attributes_t *self = user;
  hid_t source = H5Aopen(object, name, H5P_DEFAULT);
  hid_t type = source >= 0 ? H5Aget_type(source) : -1;
  hid_t space = source >= 0 ? H5Aget_space(source) : -1;
  hid_t target = -1;
  if (type >= 0 && space >= 0)
    target = H5Acreate2(self->target, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  self->status = target >= 0 ? copy_value(self->copier, source, target, type, space)
                             : PRISM_H5_FAILED(self->copier->to, "copying an attribute");
  if (target >= 0) H5Aclose(target);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (source >= 0) H5Aclose(source);
  return self->status == PRISM_OK ? 0 : -1;
}

static prism_status_t copy_attributes(const copier_t *self, hid_t source, hid_t target) {
  attributes_t all = {self, target, PRISM_OK};
  herr_t done = H5Aiterate2(source, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &all);
  if (done < 0 && all.status == PRISM_OK)
    all.status = PRISM_H5_UNREADABLE(self->from, "reading attributes");
  return all.status;
}

/* ---- Datasets --------------------------------------------------------------------- */

/* A dataset that is being copied. */
typedef struct pair {
  hid_t source, target;
  hid_t type; /* of both, in memory too: nothing is converted */
  int dimensions;
  hsize_t size[MOST_DIMENSIONS];
  size_t row_bytes;
} pair_t;

/* Rows first .. first + count - 1, read or written. */
static bool move_rows(const pair_t *pair, bool write, hsize_t first, hsize_t count, void *data) {
  hsize_t start[MOST_DIMENSIONS] = {first}, block[MOST_DIMENSIONS] = {count};
  for (int i = 1; i < pair->dimensions; ++i) block[i] = pair->size[i];
  hid_t dataset = write ? pair->target : pair->source;
  hid_t there = H5Dget_space(dataset);
  hid_t here = H5Screate_simple(pair->dimensions, block, NULL);
  bool good = there >= 0 && here >= 0 &&
              H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, block, NULL) >= 0;
  if (good)
    good = (write ? H5Dwrite(dataset, pair->type, here, there, H5P_DEFAULT, data)
                  : H5Dread(dataset, pair->type, here, there, H5P_DEFAULT, data)) >= 0;
  if (there >= 0) H5Sclose(there);
  if (here >= 0) H5Sclose(here);
  return good;
}

/* As many of `count` rows as can be read from the first on: rows stay in their places. */
static hsize_t read_prefix(const pair_t *pair, hsize_t first, hsize_t count, void *data) {
  if (move_rows(pair, false, first, count, data)) return count;
  hsize_t good = 0;
  char *at = data;
  while (count > 1) { /* the first half that cannot be read is halved again */
    hsize_t half = count / 2;
    if (move_rows(pair, false, first + good, half, at + good * pair->row_bytes)) {
      good += half;
      count -= half;
    } else {
      count = half;
    }
  }
  return good + (move_rows(pair, false, first + good, 1, at + good * pair->row_bytes) ? 1 : 0);
}

/* Rows whose bytes lie within the file: what is missing at its end HDF5 would read as zeros. */
static hsize_t rows_on_disk(const copier_t *self, const pair_t *pair) {
  hsize_t all = pair->size[0], chunk[MOST_DIMENSIONS] = {0}, start[MOST_DIMENSIONS] = {0};
#if H5_VERSION_GE(1, 10, 5)
  hid_t form = H5Dget_create_plist(pair->source);
  struct stat info;
  bool good = form >= 0 && H5Pget_layout(form) == H5D_CHUNKED && stat(self->from, &info) == 0 &&
              H5Pget_chunk(form, MOST_DIMENSIONS, chunk) == pair->dimensions;
  for (int i = 1; i < pair->dimensions; ++i) good = good && chunk[i] == pair->size[i];
  const bool filtered = good && H5Pget_nfilters(form) > 0;
  for (hsize_t at = 0; good && at < all; at += chunk[0]) {
    haddr_t place = HADDR_UNDEF;
    hsize_t bytes = 0;
    unsigned mask = 0;
    start[0] = at;
    good = H5Dget_chunk_info_by_coord(pair->source, start, &mask, &place, &bytes) >= 0 &&
           place != HADDR_UNDEF;
    hsize_t here = all - at < chunk[0] ? all - at : chunk[0];
    if (!filtered) bytes = here * pair->row_bytes; /* the rest of a chunk does not matter */
    if (!good || place + bytes > (haddr_t)info.st_size) all = at;
  }
  if (form >= 0) H5Pclose(form);
#else
  (void)self;
  (void)chunk;
  (void)start;
#endif
  return all;
}

/* [out] rows  that are in the copy */
static prism_status_t copy_rows(const copier_t *self, const pair_t *pair, hsize_t *rows) {
  const hsize_t all = rows_on_disk(self, pair);
  hsize_t most = BLOCK_BYTES / pair->row_bytes;
  void *data = NULL;
  *rows = 0;
  if (all == 0) return PRISM_OK;
  if (most == 0) most = 1;
  if (most > all) most = all;
  PRISM_TRY(prism_alloc_zero_bytes((size_t)most, pair->row_bytes, &data));
  prism_status_t status = PRISM_OK;
  while (*rows < all && status == PRISM_OK) {
    hsize_t wanted = all - *rows < most ? all - *rows : most;
    hsize_t got = read_prefix(pair, *rows, wanted, data);
    H5Eclear2(H5E_DEFAULT);
    if (got > 0 && !move_rows(pair, true, *rows, got, data))
      status = PRISM_H5_FAILED(self->to, "writing");
    *rows += got;
    if (got < wanted) break;
  }
  prism_free(data);
  return status;
}

/* The same layout, compressed where it is in chunks. */
static hid_t compressed_form(const copier_t *self, hid_t dataset) {
  hid_t was = H5Dget_create_plist(dataset), plist = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t chunk[MOST_DIMENSIONS];
  bool good = was >= 0 && plist >= 0;
  if (good && H5Pget_layout(was) == H5D_CHUNKED) {
    int dimensions = H5Pget_chunk(was, MOST_DIMENSIONS, chunk);
    good = dimensions > 0 && H5Pset_chunk(plist, dimensions, chunk) >= 0;
    if (good && self->deflates)
      good = H5Pset_shuffle(plist) >= 0 && H5Pset_deflate(plist, DEFLATE_LEVEL) >= 0;
  }
  if (was >= 0) H5Pclose(was);
  if (good) return plist;
  if (plist >= 0) H5Pclose(plist);
  return -1;
}

/* Open the source's side of a pair. */
static prism_status_t describe(const copier_t *self, hid_t source, pair_t *pair, hid_t *space) {
  *pair = (pair_t){.source = source, .target = -1, .type = H5Dget_type(source)};
  *space = H5Dget_space(source);
  if (pair->type < 0 || *space < 0) return PRISM_H5_UNREADABLE(self->from, "reading a table");
  pair->dimensions = H5Sget_simple_extent_ndims(*space);
  const bool plain = pair->dimensions >= 1 && pair->dimensions <= MOST_DIMENSIONS &&
                     H5Tdetect_class(pair->type, H5T_VLEN) == 0 &&
                     H5Tis_variable_str(pair->type) == 0;
  if (!plain || H5Sget_simple_extent_dims(*space, pair->size, NULL) < 0)
    PRISM_FAIL(PRISM_FORMAT, "%s has a table that is not one of a run", self->from);
  pair->row_bytes = H5Tget_size(pair->type);
  for (int i = 1; i < pair->dimensions; ++i) pair->row_bytes *= (size_t)pair->size[i];
  if (pair->row_bytes == 0) pair->row_bytes = 1;
  return PRISM_OK;
}

static void count_rows(const copier_t *self, hid_t dataset, int64_t rows, int64_t lost) {
  char name[64] = "";
  self->rescue->lost += lost;
  if (H5Iget_name(dataset, name, sizeof name) <= 0) return;
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind)
    if (strcmp(name, prism_record_table((prism_record_kind_t)kind)->path) == 0)
      self->rescue->rows[kind] = rows;
}

static prism_status_t copy_dataset(const copier_t *self, hid_t source, hid_t group,
                                   const char *name) {
  pair_t pair;
  hid_t space = -1, form = -1;
  hsize_t rows = 0;
  prism_status_t status = describe(self, source, &pair, &space);
  if (status == PRISM_OK) {
    form = compressed_form(self, source);
    if (form >= 0)
      pair.target = H5Dcreate2(group, name, pair.type, space, H5P_DEFAULT, form, H5P_DEFAULT);
    if (pair.target < 0) status = PRISM_H5_FAILED(self->to, "making a table");
  }
  if (status == PRISM_OK) status = copy_attributes(self, source, pair.target);
  if (status == PRISM_OK) status = copy_rows(self, &pair, &rows);
  if (status == PRISM_OK) {
    count_rows(self, source, (int64_t)rows, (int64_t)(pair.size[0] - rows));
    const bool short_of = rows < pair.size[0];
    pair.size[0] = rows;
    if (short_of && H5Pget_layout(form) == H5D_CHUNKED && H5Dset_extent(pair.target, pair.size) < 0)
      status = PRISM_H5_FAILED(self->to, "cutting a table");
  }
  if (pair.target >= 0) H5Dclose(pair.target);
  if (form >= 0) H5Pclose(form);
  if (space >= 0) H5Sclose(space);
  if (pair.type >= 0) H5Tclose(pair.type);
  return status;
}

/* ---- Groups --------------------------------------------------------------------- */

typedef struct members {
  copier_t *copier;
  hid_t target;
} members_t;

static prism_status_t copy_members(copier_t *self, hid_t source, hid_t target);

static prism_status_t copy_group(copier_t *self, hid_t source, hid_t parent, const char *name) {
  if (self->depth == MOST_NESTED)
    PRISM_FAIL(PRISM_FORMAT, "%s is not the file of a run: groups in groups", self->from);
  hid_t target = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  PRISM_H5_TRY(self->to, "making a group", target);
  ++self->depth;
  prism_status_t status = copy_members(self, source, target);
  --self->depth;
  H5Gclose(target);
  return status;
}

static herr_t copy_link(hid_t group, const char *name, const H5L_info_t *info, void *user) {
  members_t *self = user;
  copier_t *copier = self->copier;
  if (info->type != H5L_TYPE_HARD) return 0; /* runs have no others */
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) {
    copier->status = PRISM_H5_UNREADABLE(copier->from, "opening an object");
    return -1;
  }
  H5I_type_t kind = H5Iget_type(object);
  if (kind == H5I_GROUP) copier->status = copy_group(copier, object, self->target, name);
  if (kind == H5I_DATASET) copier->status = copy_dataset(copier, object, self->target, name);
  H5Oclose(object);
  return copier->status == PRISM_OK ? 0 : -1;
}

static prism_status_t copy_members(copier_t *self, hid_t source, hid_t target) {
  members_t all = {self, target};
  PRISM_TRY(copy_attributes(self, source, target));
  herr_t done = H5Literate(source, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_link, &all);
  if (done < 0 && self->status == PRISM_OK)
    self->status = PRISM_H5_UNREADABLE(self->from, "reading a group");
  return self->status;
}

/* Row i of the index and row i of the colors belong together: neither without the other. */
static prism_status_t match_solutions(const copier_t *self, hid_t file) {
  static const char *const name[2] = {"/solutions/index", "/solutions/colors"};
  hid_t dataset[2] = {-1, -1};
  hsize_t size[2][MOST_DIMENSIONS] = {{0}, {0}};
  prism_status_t status = PRISM_OK;
  bool there = H5Lexists(file, "/solutions", H5P_DEFAULT) > 0;
  for (int i = 0; i < 2 && there; ++i) {
    there = H5Lexists(file, name[i], H5P_DEFAULT) > 0;
    dataset[i] = there ? H5Dopen2(file, name[i], H5P_DEFAULT) : -1;
    hid_t space = dataset[i] >= 0 ? H5Dget_space(dataset[i]) : -1;
    there = space >= 0 && H5Sget_simple_extent_ndims(space) == i + 1 &&
            H5Sget_simple_extent_dims(space, size[i], NULL) >= 0;
    if (space >= 0) H5Sclose(space);
  }
  hsize_t rows = size[0][0] < size[1][0] ? size[0][0] : size[1][0];
  for (int i = 0; i < 2 && there && status == PRISM_OK; ++i) {
    if (size[i][0] == rows) continue;
    if (i == 0) self->rescue->lost += (int64_t)(size[i][0] - rows);
    size[i][0] = rows;
    if (H5Dset_extent(dataset[i], size[i]) < 0)
      status = PRISM_H5_FAILED(self->to, "cutting a table");
  }
  if (there) self->rescue->rows[PRISM_RECORD_SOLUTION] = (int64_t)rows;
  for (int i = 0; i < 2; ++i)
    if (dataset[i] >= 0) H5Dclose(dataset[i]);
  return status;
}

/* ---- Files --------------------------------------------------------------------- */

/* Room for as much as the source has, before HDF5 hears of the data. */
static prism_status_t reserve(const char *from, const char *to, int fd) {
  struct stat info;
  prism_h5_room_t room = {.fd = fd};
  if (stat(from, &info) != 0) PRISM_FAIL(PRISM_IO, "%s: %s", from, strerror(errno));
  return prism_h5_reserve(&room, to, 0, info.st_size + SLACK_BYTES);
}

static prism_status_t write_copy(copier_t *self, hid_t source, hid_t target,
                                 const char *repaired) {
  H5Eclear2(H5E_DEFAULT);
  self->deflates = H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0;
  PRISM_TRY(copy_members(self, source, target));
  PRISM_TRY(match_solutions(self, target));
  if (repaired == NULL) return PRISM_OK;
  if (H5Aexists(target, "repaired") > 0)
    PRISM_H5_TRY(self->to, "deleting an attribute", H5Adelete(target, "repaired"));
  return prism_h5_put_text(self->to, target, "repaired", repaired);
}

static prism_status_t rewrite(copier_t *self, const char *repaired) {
  hid_t source = -1, target = -1;
  int fd = -1;
  bool swmr = false;
  PRISM_TRY(prism_h5_open_file(self->from, PRISM_IO, &swmr, &source));
  prism_status_t status = PRISM_OK;
  if (H5Aexists(source, "schema_version") <= 0 ||
      H5Lexists(source, "/telemetry", H5P_DEFAULT) <= 0)
    status = prism_error_record(PRISM_FORMAT, __FILE__, __LINE__, __func__,
                                "%s is an HDF5 file, but not one of a run", self->from);
  self->created = status == PRISM_OK;
  if (status == PRISM_OK) status = prism_h5_create_file(self->to, 0, &target, &fd);
  if (status == PRISM_OK) status = reserve(self->from, self->to, fd);
  if (status == PRISM_OK) status = write_copy(self, source, target, repaired);
  if (target >= 0 && H5Fclose(target) < 0 && status == PRISM_OK)
    status = PRISM_H5_FAILED(self->to, "closing");
  H5Fclose(source);
  return status;
}

prism_status_t prism_run_rewrite(const char *from, const char *to, const char *repaired,
                                 prism_run_rescue_t *out) {
  memset(out, 0, sizeof *out);
  for (int kind = 0; kind < PRISM_RECORD_COUNT; ++kind) out->rows[kind] = -1;
  copier_t self = {.from = from, .to = to, .rescue = out};
  PRISM_TRY(prism_h5_check_memory());
  prism_h5_entered_t was = prism_h5_enter();
  prism_status_t status = rewrite(&self, repaired);
  prism_h5_leave(was);
  if (status == PRISM_OK) status = prism_h5_settle(to);
  if (status != PRISM_OK && self.created) unlink(to);
  PRISM_TRY(status);
  return PRISM_OK;
}
