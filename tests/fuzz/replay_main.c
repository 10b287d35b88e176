/* Runs a fuzz target over the files of folders, without a fuzzer: what fuzzing found
 * stays found with any compiler. */
#include <dirent.h>
#include <string.h>

#include "fuzz_input.h"

enum { LARGEST_INPUT = 1 << 20 };

static int replay_file(const char *path) {
  static uint8_t data[LARGEST_INPUT];
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    return 0;
  }
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  printf("%s (%zu bytes)\n", path, size);
  fflush(stdout);
  (void)LLVMFuzzerTestOneInput(data, size);
  /* Every beginning of a small input is an input too. */
  for (size_t cut = 0; size <= 200 && cut < size; ++cut) (void)LLVMFuzzerTestOneInput(data, cut);
  return 1;
}

static int replay_folder(const char *folder) {
  DIR *listing = opendir(folder);
  int count = 0;
  if (listing == NULL) {
    perror(folder);
    return 0;
  }
  for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
    char path[1024];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    count += replay_file(path);
  }
  closedir(listing);
  return count;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i)
    if (replay_folder(argv[i]) == 0) {
      fprintf(stderr, "%s: nothing to replay\n", argv[i]);
      return 1;
    }
  return argc > 1 ? 0 : 2;
}
