/* prism report: hands over to the Python package prism_analysis, with a Python that has
 * what the package needs. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/tool.h"
#include "base/file.h"
#include "base/mem.h"

extern char **environ;

static const char help[] =
    "Usage: prism report RUN.h5... [-o FILE.html] [OPTIONS]\n"
    "\n"
    "Writes one page about one run or many: times to a target, success, convergence, what ran\n"
    "when, migrations, tempering, GPUs, the coloring. Runs may be going on or have been killed.\n"
    "\n"
    "  -o, --output FILE  page to write (default: report.html); FILE.pdf: only a PDF\n"
    "  --pdf              a PDF beside the page, too\n"
    "  --tables FOLDER    the tables as CSV files, too\n"
    "  --against RUN...   a second set of runs, to compare with the first\n"
    "  --names A,B        names of the two sets\n"
    "  --target K         colors for times to target\n"
    "  --graph FILE       the graph: draws the coloring\n"
    "  --detail N|all     runs to look into, the best first\n"
    "  --log-time         convergence with logarithmic time\n"
    "\n"
    "Needs a Python 3.9 or newer with h5py, matplotlib, numpy and pandas: the one of\n"
    "PRISM_PYTHON, else python3 of the PATH or /usr/bin/python3. Exit code 0: written; 2: a\n"
    "wrong option or file, or no such Python.\n";

/* Ends with 0 where all is there, and with 1 otherwise; nothing is loaded for it. */
static const char probe[] =
    "import importlib.util as u, sys\n"
    "names = ('h5py', 'matplotlib', 'numpy', 'pandas') + tuple(sys.argv[1:])\n"
    "sys.exit(sys.version_info < (3, 9) or any(u.find_spec(name) is None for name in names))\n";

static const char module[] = "prism_analysis";

/* Runs a program with its output thrown away; -1: it cannot be started. */
static int run_quietly(char *const *arguments) {
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return -1;
  int failed = 0;
  for (int fd = 0; fd <= 2 && failed == 0; ++fd) {
    failed = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null",
                                              fd == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  pid_t child = -1;
  if (failed == 0) failed = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return -1;
  int state = 0;
  while (waitpid(child, &state, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* Has this Python the packages, and with `with_module` also ours as one of its own? */
static bool python_fits(const char *python, bool with_module) {
  /* posix_spawn() takes them as not const and leaves them as they are. */
  char *arguments[] = {(char *)python, (char *)"-c", (char *)probe,
                       with_module ? (char *)module : NULL, NULL};
  return run_quietly(arguments) == 0;
}

/* The first Python that fits, PRISM_PYTHON alone if it is set; NULL: none. */
static const char *find_python(bool with_module) {
  const char *wanted = getenv("PRISM_PYTHON");
  if (wanted != NULL && wanted[0] != '\0') return python_fits(wanted, with_module) ? wanted : NULL;
  static const char *const candidates[] = {"python3", "/usr/bin/python3"};
  for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; ++i) {
    if (python_fits(candidates[i], with_module)) return candidates[i];
  }
  return NULL;
}

/* Is the package in this folder? */
static bool holds_package(const char *folder) {
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s/%s/__main__.py", folder, module);
  return length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0;
}

/* The folder of the package: beside the installed program, or in the source tree. False: it
 * is in neither. */
static bool find_package(char *folder, size_t size) {
  char program[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length > 0) {
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL) *slash = '\0';
    int written = snprintf(folder, size, "%s/%s", program, PRISM_DATA_FROM_PROGRAM);
    if (written > 0 && (size_t)written < size && holds_package(folder)) return true;
  }
  int written = snprintf(folder, size, "%s", PRISM_SCRIPTS);
  return written > 0 && (size_t)written < size && holds_package(folder);
}

/* `folder` before what PYTHONPATH has already. */
static prism_status_t put_on_path(const char *folder) {
  const char *before = getenv("PYTHONPATH");
  prism_text_t text = {0};
  bool more = before != NULL && before[0] != '\0';
  prism_status_t status =
      prism_text_add(&text, "%s%s%s", folder, more ? ":" : "", more ? before : "");
  if (status == PRISM_OK && setenv("PYTHONPATH", text.data, 1) != 0) {
    status = prism_error_set(PRISM_MEMORY, "no memory for the environment");
  }
  prism_text_free(&text);
  return status;
}

/* Becomes Python; returns only when it cannot. */
static prism_status_t become(const char *python, int argc, char *const *argv) {
  char **arguments = NULL;
  PRISM_TRY(PRISM_ALLOC(argc + 5, &arguments));
  size_t count = 0;
  arguments[count++] = (char *)python;
  arguments[count++] = (char *)"-B"; /* writes nothing beside the installed files */
  arguments[count++] = (char *)"-m";
  arguments[count++] = (char *)module;
  for (int i = 0; i < argc; ++i) arguments[count++] = argv[i];
  arguments[count] = NULL;
  setenv("PRISM_REPORT_NAME", "prism", 1);
  fflush(NULL);
  execvp(python, arguments);
  int reason = errno;
  prism_free(arguments);
  PRISM_FAIL(PRISM_INVALID, "%s cannot be started: %s", python, strerror(reason));
}

static int no_python(void) {
  const char *wanted = getenv("PRISM_PYTHON");
  fprintf(stderr,
          "prism: report needs a Python 3.9 or newer with h5py, matplotlib, numpy and pandas; "
          "%s%s. Install them:\n"
          "  apt-get install python3-h5py python3-matplotlib python3-numpy python3-pandas\n"
          "or, in a virtual environment whose python3 is named by PRISM_PYTHON:\n"
          "  pip install h5py matplotlib numpy pandas\n",
          wanted != NULL && wanted[0] != '\0' ? wanted : "python3 of the PATH and /usr/bin/python3",
          wanted != NULL && wanted[0] != '\0' ? " (PRISM_PYTHON) lacks something"
                                              : " both lack something");
  return prism_status_exit_code(PRISM_INVALID);
}

int prism_tool_report(int argc, char *const *argv) {
  if (argc == 1) return prism_tool_usage("report needs a run file; see prism report --help");
  for (int i = 1; i < argc; ++i) {
    if (prism_tool_is_help(argv[i])) return prism_tool_help(help);
  }
  char folder[PATH_MAX];
  bool found = find_package(folder, sizeof folder);
  const char *python = find_python(!found);
  if (python == NULL && !found && find_python(false) != NULL) {
    return prism_tool_usage("report needs the package %s, which is neither beside this program "
                            "(%s) nor among those of Python", module, PRISM_DATA_FROM_PROGRAM);
  }
  if (python == NULL) return no_python();
  prism_status_t status = found ? put_on_path(folder) : PRISM_OK;
  if (status == PRISM_OK) status = become(python, argc, argv);
  return prism_tool_fail(status);
}
