#include "app/members.h"

#include <inttypes.h>
#include <string.h>

#include "solve/jsonl.h"

prism_status_t prism_member_text(prism_text_t *out, const char *name, const char *value) {
  PRISM_TRY(prism_jsonl_string(name, SIZE_MAX, out));
  PRISM_TRY(prism_text_add(out, ":"));
  PRISM_TRY(prism_jsonl_string(value, SIZE_MAX, out));
  return prism_text_add(out, ",");
}

prism_status_t prism_member_real(prism_text_t *out, const char *name, double value) {
  PRISM_TRY(prism_text_add(out, "\"%s\":", name));
  PRISM_TRY(prism_jsonl_number(value, out));
  return prism_text_add(out, ",");
}

prism_status_t prism_member_whole(prism_text_t *out, const char *name, int64_t value) {
  return prism_text_add(out, "\"%s\":%" PRId64 ",", name, value);
}

prism_status_t prism_member_record(prism_text_t *out, prism_record_kind_t kind, const void *row) {
  size_t before = out->length;
  PRISM_TRY(prism_jsonl_record(kind, row, out));
  char *object = out->data + before, *rest = strchr(object, ',');
  size_t length = strlen(rest + 1); /* members, the brace and the end of the line */
  memmove(object + 1, rest + 1, length + 1);
  out->length = before + 1 + length;
  out->data[out->length - 1] = ',';
  return PRISM_OK;
}

prism_status_t prism_member_graph(prism_text_t *out, const prism_run_head_t *head) {
  PRISM_TRY(prism_text_add(out, "\"graph\":{"));
  PRISM_TRY(prism_member_text(out, "name", head->graph_name));
  PRISM_TRY(prism_member_whole(out, "n", head->n));
  PRISM_TRY(prism_member_whole(out, "m", head->m));
  PRISM_TRY(prism_member_text(out, "hash", head->graph_hash));
  return prism_member_close(out, "},");
}

prism_status_t prism_member_rank(prism_text_t *out, int32_t rank, const prism_rank_row_t *where,
                                 const prism_metric_t *last) {
  PRISM_TRY(prism_member_whole(out, "rank", rank));
  PRISM_TRY(prism_member_text(out, "host", where != NULL ? where->host : ""));
  PRISM_TRY(prism_member_text(out, "device", where != NULL ? where->device : ""));
  PRISM_TRY(prism_member_text(out, "mode", last->mode));
  return prism_member_text(out, "phase", last->phase);
}

prism_status_t prism_member_close(prism_text_t *out, const char *close) {
  if (out->length > 0 && out->data[out->length - 1] == ',') out->data[--out->length] = '\0';
  return prism_text_add(out, "%s", close);
}
