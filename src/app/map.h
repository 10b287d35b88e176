/* The map rank -> host -> device, a line for ranks that are alike. */
#ifndef PRISM_APP_MAP_H
#define PRISM_APP_MAP_H

#include "base/file.h"
#include "solve/store.h"

/* "ranks 0-7 on node1: 8 x NVIDIA H100 80GB HBM3, GPU 0-7, 12 threads each"; lines in the
 * order of their first ranks. [in] row  [ranks] */
prism_status_t prism_map_format(const prism_rank_row_t *row, int32_t ranks, prism_text_t *out);

#endif
