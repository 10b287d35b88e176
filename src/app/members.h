/* JSON texts, member by member. Every member and element ends with a comma; the one that
 * ends a list takes the last one back. */
#ifndef PRISM_APP_MEMBERS_H
#define PRISM_APP_MEMBERS_H

#include <stdint.h>

#include "base/file.h"
#include "solve/record.h"
#include "solve/run_reader.h"

/* Append "name":value and a comma. [in] name  plain ASCII but for prism_member_text, which takes
 * any. NaN becomes null. */
prism_status_t prism_member_text(prism_text_t *out, const char *name, const char *value);
prism_status_t prism_member_real(prism_text_t *out, const char *name, double value);
prism_status_t prism_member_whole(prism_text_t *out, const char *name, int64_t value);

/* Append a record as an object, without the name of its kind, and a comma. */
prism_status_t prism_member_record(prism_text_t *out, prism_record_kind_t kind, const void *row);

/* Append "graph":{...} of a run and a comma. */
prism_status_t prism_member_graph(prism_text_t *out, const prism_run_head_t *head);

/* Append what tells a rank from others: "rank", "host", "device", "mode" and "phase", each with a
 * comma. [in] where  NULL: not known */
prism_status_t prism_member_rank(prism_text_t *out, int32_t rank, const prism_rank_row_t *where,
                                 const prism_metric_t *last);

/* After the last of a list of members or elements: `close` in place of the comma. */
prism_status_t prism_member_close(prism_text_t *out, const char *close);

#endif
