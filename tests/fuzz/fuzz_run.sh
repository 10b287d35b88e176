#!/bin/sh
# Fuzzes one reader for PRISM_FUZZ_SECONDS (an hour): new inputs and what fails go to a folder.
# fuzz_run.sh PROGRAM SOURCES READER FOLDER
program=$1 sources=$2 reader=$3 folder=$4
found=$folder/found_$reader
mkdir -p "$found"
set -- -max_total_time="${PRISM_FUZZ_SECONDS:-3600}" -timeout=20 -rss_limit_mb=2048 -max_len=4096 \
  -print_final_stats=1 -verbosity=0 -artifact_prefix="$folder/failed_$reader-"
[ -e "$sources/$reader.dict" ] && set -- "$@" -dict="$sources/$reader.dict"
exec "$program" "$@" "$found" "$sources/corpus_$reader"
