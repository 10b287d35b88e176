/* A checkpoint with a seal that fits and contents that do not: refused, or within bounds in all
 * that it holds.
 *
 * An input is a list of edits of ten bytes, made to a true file through HDF5 itself: values,
 * sizes, types and names become others, but HDF5's own structures stay sound. Bytes that lie
 * about those never get past the seal unless somebody sealed them on purpose, and what the HDF5
 * library does with them is not ours to test (unit.test_checkpoint_damage tries a few). */
#include <hdf5.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz_input.h"
#include "solve/checkpoint.h"
#include "solve/checkpoint_seal.h"

enum { N = 10, REMOVED = 3, KERNEL = N - REMOVED, BOUND = 4, ISLANDS = 3, ROWS = 2, RANKS = 2,
       EDIT_BYTES = 10, MOST_EDITS = 12, MOST_OBJECT_BYTES = 1 << 16 };

/* ---- a true file ---- */

static const int32_t removed[REMOVED] = {9, 2, 5}, partner[REMOVED] = {-1, 5, -2};
static const int32_t clique[2] = {0, 3}, colors[N] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1};

static void write_file(const char *path) {
  static const uint8_t bytes[40] = {1, 2, 3};
  static const uint8_t method[ROWS] = {0, 1};
  static const int64_t f[ROWS] = {3, 0};
  prism_params_t params;
  prism_params_default(&params);
  prism_checkpoint_head_t head = {
      .created = "2026-11-21T01:42:07.123Z", .program = "fuzz", .graph_name = "graph", .n = N,
      .m = 20, .kernel = {2, KERNEL, REMOVED, removed, partner, NULL},
      .start = {2, false, 2, clique, BOUND, colors}, .params = &params, .seed = 7, .epoch = 3,
      .elapsed = 1.5, .iterations = 1000, .invocations = 1, .ranks = RANKS, .color_bound = BOUND,
      .best_k = BOUND, .best = colors};
  memset(head.graph_hash, 'a', PRISM_SHA256_HEX - 1);
  prism_checkpoint_t *file = NULL;
  FUZZ_REQUIRE(prism_checkpoint_begin(path, &head, &file) == PRISM_OK);
  prism_solution_row_t row = {0.5, 10, 1, BOUND};
  FUZZ_REQUIRE(prism_checkpoint_solution(file, &row, colors) == PRISM_OK);
  FUZZ_REQUIRE(prism_checkpoint_solution(file, &row, colors) == PRISM_OK);
  for (int32_t i = 0; i < ISLANDS; ++i) {
    prism_checkpoint_island_t island = {.id = i, .rank = i / 2, .engine = "cpu", .version = 1,
                                        .k = BOUND, .rows = ROWS, .size = sizeof bytes};
    uint8_t packed[ROWS * KERNEL];
    prism_checkpoint_pack(colors, KERNEL, 1, packed);
    prism_checkpoint_pack(colors + 1, KERNEL, 1, packed + KERNEL);
    FUZZ_REQUIRE(prism_checkpoint_island(file, &island) == PRISM_OK);
    FUZZ_REQUIRE(prism_checkpoint_rows(file, ROWS, method, f, packed) == PRISM_OK);
    FUZZ_REQUIRE(prism_checkpoint_bytes(file, bytes, sizeof bytes) == PRISM_OK);
  }
  for (int32_t i = 0; i < RANKS; ++i)
    FUZZ_REQUIRE(prism_checkpoint_rank(file, i, 500, bytes, sizeof bytes) == PRISM_OK);
  FUZZ_REQUIRE(prism_checkpoint_commit(&file, NULL) == PRISM_OK);
}

/* HDF5 wants a name in a folder: one in memory, if there is any. */
static const char *scratch(void) {
  static char path[64];
  if (path[0] == '\0')
    snprintf(path, sizeof path, "%s/prism-fuzz-%ld.ckpt",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
  return path;
}

static void remove_scratch(void) { unlink(scratch()); }

/* The bytes of a true file, made once. [out] size */
static const uint8_t *true_file(size_t *size) {
  static uint8_t *data;
  static size_t length;
  if (data == NULL) {
    write_file(scratch());
    atexit(remove_scratch);
    FILE *file = fopen(scratch(), "rb");
    FUZZ_REQUIRE(file != NULL && fseek(file, 0, SEEK_END) == 0);
    length = (size_t)ftell(file);
    rewind(file);
    data = malloc(length);
    FUZZ_REQUIRE(data != NULL && fread(data, 1, length, file) == length);
    fclose(file);
  }
  *size = length;
  return data;
}

static void restore_file(const char *path, const uint8_t *data, size_t size) {
  FILE *file = fopen(path, "wb");
  FUZZ_REQUIRE(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

/* ---- edits ---- */

typedef struct edit {
  uint8_t what;   /* which object, which attribute of it */
  uint8_t which;
  uint8_t how;
  uint8_t size;   /* of the value */
  uint16_t at;    /* where in the object's bytes */
  uint32_t value;
} edit_t;

static const char *const objects[] = {
    "/", "/config", "/graph", "/kernel", "/kernel/map", "/kernel/removed", "/kernel/partner",
    "/start", "/start/clique", "/start/color", "/run", "/run/best", "/solutions",
    "/solutions/index", "/solutions/colors", "/islands", "/islands/table", "/islands/method",
    "/islands/f", "/islands/colors", "/islands/bytes", "/ranks", "/ranks/table", "/ranks/bytes"};
enum { OBJECTS = sizeof objects / sizeof objects[0] };

static edit_t read_edit(const uint8_t *data) {
  return (edit_t){data[0], data[1], data[2], data[3], (uint16_t)(data[4] | data[5] << 8),
                  data[6] | (uint32_t)data[7] << 8 | (uint32_t)data[8] << 16 |
                      (uint32_t)data[9] << 24};
}

/* 1 to 8 bytes of the value, sign included, somewhere in `size` of them. */
static void poke(uint8_t *bytes, size_t size, const edit_t *edit) {
  static const size_t widths[] = {1, 2, 4, 8};
  size_t width = widths[edit->size % 4];
  int64_t value = (int32_t)edit->value;
  if (size < width) return;
  size_t at = width == 1 ? edit->at % size : edit->at % (size / width) * width;
  memcpy(bytes + at, &value, width);
}

static const hid_t *other_types(void) {
  static hid_t type[5];
  if (type[0] == 0) {
    type[0] = H5T_NATIVE_INT8;
    type[1] = H5T_NATIVE_INT32;
    type[2] = H5T_NATIVE_UINT64;
    type[3] = H5T_NATIVE_DOUBLE;
    type[4] = H5Tcopy(H5T_C_S1);
    H5Tset_size(type[4], 7);
  }
  return type;
}

/* A space of another size. */
static hid_t other_space(const edit_t *edit) {
  hsize_t size[2] = {edit->value % 70, edit->at % 20};
  int rank = (int)edit->size % 3;
  return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, size, NULL);
}

static void edit_attribute(hid_t object, const edit_t *edit) {
  static uint8_t bytes[MOST_OBJECT_BYTES];
  char name[256] = "";
  H5O_info_t info;
  if (H5Oget_info(object, &info) < 0 || info.num_attrs == 0) return;
  hid_t old = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC,
                             edit->which % info.num_attrs, H5P_DEFAULT, H5P_DEFAULT);
  if (old < 0) return;
  hid_t type = H5Aget_type(old), space = H5Aget_space(old), made = -1, form = -1;
  size_t size = H5Tget_size(type) * (size_t)H5Sget_simple_extent_npoints(space);
  H5Aget_name(old, sizeof name, name);
  memset(bytes, 0, sizeof bytes);
  if (size <= sizeof bytes && H5Aread(old, type, bytes) >= 0 && edit->how % 8 < 5) {
    poke(bytes, size, edit);
    H5Awrite(old, type, bytes);
  }
  H5Aclose(old);
  if (edit->how % 8 >= 5) H5Adelete(object, name);
  if (edit->how % 8 == 6) { /* in its place one of another type, of the same number */
    made = H5Acreate2(object, name, other_types()[edit->size % 5], space, H5P_DEFAULT, H5P_DEFAULT);
  } else if (edit->how % 8 == 7) {
    form = other_space(edit);
    made = H5Acreate2(object, name, type, form, H5P_DEFAULT, H5P_DEFAULT);
  }
  if (made >= 0) H5Aclose(made);
  if (form >= 0) H5Sclose(form);
  H5Tclose(type);
  H5Sclose(space);
}

static void poke_dataset(hid_t set, const edit_t *edit) {
  static uint8_t bytes[MOST_OBJECT_BYTES];
  hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  hssize_t points = H5Sget_simple_extent_npoints(space);
  size_t size = H5Tget_size(type) * (size_t)(points > 0 ? points : 0);
  if (size > 0 && size <= sizeof bytes && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                                  bytes) >= 0) {
    poke(bytes, size, edit);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  }
  H5Tclose(type);
  H5Sclose(space);
}

static void resize_dataset(hid_t set, const edit_t *edit) {
  hid_t space = H5Dget_space(set);
  hsize_t size[4] = {0};
  if (H5Sget_simple_extent_ndims(space) <= 2 && H5Sget_simple_extent_dims(space, size, NULL) > 0) {
    size[0] = edit->value % 4 == 0 ? edit->at : size[0] + edit->value % 5 - 2;
    if (size[0] < 1 << 20) H5Dset_extent(set, size);
  }
  H5Sclose(space);
}

/* Another dataset at its name: of another type or other sizes, all zero. */
static void replace_dataset(hid_t file, const char *path, const edit_t *edit) {
  hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
  if (set < 0) return;
  hid_t type = H5Dget_type(set), space = H5Dget_space(set), form = other_space(edit), made;
  H5Dclose(set);
  H5Ldelete(file, path, H5P_DEFAULT);
  if (edit->which % 2 == 0)
    made = H5Dcreate2(file, path, type, form, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  else
    made = H5Dcreate2(file, path, other_types()[edit->at % 5], form, H5P_DEFAULT, H5P_DEFAULT,
                      H5P_DEFAULT);
  if (made >= 0) H5Dclose(made);
  H5Tclose(type);
  H5Sclose(space);
  H5Sclose(form);
}

static void apply(hid_t file, const edit_t *edit) {
  const char *path = objects[edit->what % OBJECTS];
  int how = edit->how % 16;
  if (how == 15) {
    if (edit->what % OBJECTS != 0) H5Ldelete(file, path, H5P_DEFAULT);
    if (edit->which % 4 == 0) { /* a name that leads to another object */
      const char *other = objects[edit->at % OBJECTS];
      H5Lcreate_soft(other, file, path, H5P_DEFAULT, H5P_DEFAULT);
    }
    return;
  }
  if (how == 14) {
    replace_dataset(file, path, edit);
    return;
  }
  hid_t object = H5Oopen(file, path, H5P_DEFAULT);
  if (object < 0) return;
  bool dataset = H5Iget_type(object) == H5I_DATASET;
  if (how < 8 || !dataset)
    edit_attribute(object, edit);
  else if (how < 12)
    poke_dataset(object, edit);
  else
    resize_dataset(object, edit);
  H5Oclose(object);
}

/* ---- the reader ---- */

static void read_solutions(prism_checkpoint_reader_t *reader) {
  const prism_checkpoint_head_t *head = prism_checkpoint_head(reader);
  for (int32_t i = 0; i < prism_checkpoint_solutions(reader) && i < 50; ++i) {
    prism_solution_row_t row;
    int32_t *color = NULL;
    FUZZ_REQUIRE(PRISM_ALLOC(head->n, &color) == PRISM_OK);
    prism_status_t status = prism_checkpoint_read_solution(reader, i, &row, color);
    FUZZ_REQUIRE(status == PRISM_OK || status == PRISM_FORMAT || status == PRISM_IO);
    for (int32_t v = 0; status == PRISM_OK && v < head->n; ++v)
      FUZZ_REQUIRE(color[v] >= 0 && color[v] < row.colors);
    prism_free(color);
  }
}

static void read_islands(prism_checkpoint_reader_t *reader) {
  const prism_checkpoint_head_t *head = prism_checkpoint_head(reader);
  for (int32_t i = 0; i < prism_checkpoint_islands(reader) && i < 50; ++i) {
    prism_island_state_t state;
    prism_status_t status = prism_checkpoint_read_state(reader, i, &state);
    FUZZ_REQUIRE(status == PRISM_OK || status == PRISM_FORMAT || status == PRISM_IO);
    if (status == PRISM_OK)
      FUZZ_REQUIRE(prism_island_state_check(&state, head->kernel.n) == PRISM_OK);
    prism_island_state_release(&state);
  }
  for (int32_t i = 0; i < head->ranks && i < 50; ++i) {
    int64_t iterations;
    uint8_t *bytes = NULL;
    size_t size = 0;
    prism_status_t status = prism_checkpoint_read_rank(reader, i, &iterations, &bytes, &size);
    FUZZ_REQUIRE(status == PRISM_OK || status == PRISM_FORMAT || status == PRISM_IO);
    prism_free(bytes);
  }
}

/* What docs promise of a head: each vertex once, colors in range. */
static void check_head(const prism_checkpoint_head_t *head) {
  FUZZ_REQUIRE(head->n >= 1 && head->kernel.n + head->kernel.removed == head->n);
  for (int32_t i = 0; i < head->kernel.n; ++i)
    FUZZ_REQUIRE(head->kernel.map[i] >= 0 && head->kernel.map[i] < head->n &&
                 (i == 0 || head->kernel.map[i] > head->kernel.map[i - 1]));
  for (int32_t i = 0; i < head->kernel.removed; ++i)
    FUZZ_REQUIRE(head->kernel.vertex[i] >= 0 && head->kernel.vertex[i] < head->n &&
                 head->kernel.partner[i] >= -2 && head->kernel.partner[i] < head->n);
  for (int32_t i = 0; i < head->kernel.n; ++i)
    FUZZ_REQUIRE(head->best[i] >= 0 && head->best[i] < head->best_k);
  for (int32_t v = 0; v < head->n; ++v)
    FUZZ_REQUIRE(head->start.color[v] >= 0 && head->start.color[v] < head->start.colors);
  for (int32_t i = 0; i < head->settings; ++i)
    FUZZ_REQUIRE(strlen(head->setting[i].name) > 0 && strlen(head->setting[i].value) < 1 << 16);
  FUZZ_REQUIRE(strlen(head->graph_hash) == PRISM_SHA256_HEX - 1 && head->elapsed >= 0.0);
}

static bool edit_file(const char *path, const uint8_t *data, size_t size) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, access);
  H5Pclose(access);
  FUZZ_REQUIRE(file >= 0);
  for (size_t i = 0; i < MOST_EDITS && (i + 1) * EDIT_BYTES <= size; ++i) {
    edit_t edit = read_edit(data + i * EDIT_BYTES);
    apply(file, &edit);
  }
  return H5Fclose(file) >= 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size % EDIT_BYTES != 0) return 0;
  const char *path = scratch();
  size_t length;
  const uint8_t *original = true_file(&length);
  restore_file(path, original, length);
  int64_t sealed = 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  prism_error_clear();
  if (edit_file(path, data, size) && prism_checkpoint_seal(path, &sealed) == PRISM_OK) {
    prism_checkpoint_reader_t *reader = NULL;
    prism_status_t status = prism_checkpoint_open(path, NULL, &reader);
    if (status == PRISM_OK) {
      check_head(prism_checkpoint_head(reader));
      read_solutions(reader);
      read_islands(reader);
      prism_checkpoint_close(&reader);
    } else {
      FUZZ_REQUIRE(size > 0 && reader == NULL);
      FUZZ_REQUIRE(status == PRISM_FORMAT || status == PRISM_IO || status == PRISM_UNSUPPORTED);
      FUZZ_REQUIRE(strstr(prism_error_text(), path) != NULL);
    }
  }
  FUZZ_REQUIRE(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL & ~H5F_OBJ_DATATYPE) == 0);
  FUZZ_REQUIRE(prism_mem_live_blocks() == 0);
  return 0;
}
