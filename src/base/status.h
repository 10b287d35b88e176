/* Status codes and per-thread error text.
 *
 * Every function that can fail returns a prism_status_t and hands results out
 * through a last `out` parameter, which is NULL or unchanged on failure.
 * PRISM_FAIL records the text and the place once; PRISM_TRY adds a frame on
 * the way up. Neither prints: src/app alone talks to the user.
 * Thread-safe: the text lives in thread-local storage. */
#ifndef PRISM_BASE_STATUS_H
#define PRISM_BASE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, exit code of the program, text) */
#define PRISM_STATUS_LIST(X)                                   \
  X(OK, 0, "success")                                          \
  X(INVALID, 2, "invalid argument")                            \
  X(FORMAT, 2, "malformed input")                              \
  X(IO, 2, "file cannot be read or written")                   \
  X(UNSUPPORTED, 2, "not supported by this build")             \
  X(MEMORY, 3, "out of memory")                                \
  X(DEVICE, 3, "no usable device")                             \
  X(PEER, 3, "a rank failed or was lost")                      \
  X(TIMEOUT, 3, "a wait passed its deadline")                  \
  X(STORAGE, 3, "the result cannot be stored")                 \
  X(INTERRUPTED, 0, "interrupted")                             \
  X(INTERNAL, 4, "internal error")

typedef enum prism_status {
#define PRISM_STATUS_ENUM(name, exit_code, text) PRISM_##name,
  PRISM_STATUS_LIST(PRISM_STATUS_ENUM)
#undef PRISM_STATUS_ENUM
  PRISM_STATUS_COUNT
} prism_status_t;

/* One-line meaning of a code; never NULL. */
const char *prism_status_text(prism_status_t status);

/* The program's exit code for a status (2 input, 3 environment, 4 internal). */
int prism_status_exit_code(prism_status_t status);

/* Message recorded by the last PRISM_FAIL of this thread; "" when none. The
 * pointer stays valid until the thread's next failure. */
const char *prism_error_text(void);

/* Call frames under that message, "file:line function" one per line. */
const char *prism_error_trace(void);

/* Forget this thread's error. */
void prism_error_clear(void);

/* Replace this thread's error text (used to hand an error from one thread or
 * rank to another). Returns `status`. */
prism_status_t prism_error_set(prism_status_t status, const char *text);

/* Implementation of the macros below; not for direct use. */
prism_status_t prism_error_record(prism_status_t status, const char *file, int line,
                                  const char *function, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void prism_error_frame(const char *file, int line, const char *function);

/* Return `code` from the calling function after recording a message. */
#define PRISM_FAIL(code, ...) \
  return prism_error_record((code), __FILE__, __LINE__, __func__, __VA_ARGS__)

/* Return from the calling function when `call` does not succeed. */
#define PRISM_TRY(call)                                  \
  do {                                                   \
    prism_status_t prism_try_status_ = (call);           \
    if (prism_try_status_ != PRISM_OK) {                 \
      prism_error_frame(__FILE__, __LINE__, __func__);   \
      return prism_try_status_;                          \
    }                                                    \
  } while (0)

/* Jump to `label` with `status` set when `call` does not succeed. */
#define PRISM_TRY_GOTO(status, call, label)              \
  do {                                                   \
    (status) = (call);                                   \
    if ((status) != PRISM_OK) {                          \
      prism_error_frame(__FILE__, __LINE__, __func__);   \
      goto label;                                        \
    }                                                    \
  } while (0)

#ifdef __cplusplus
}
#endif
#endif
