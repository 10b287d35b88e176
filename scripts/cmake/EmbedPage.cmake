# Writes the files of the live page as a C source. Run as a script:
# cmake -Dfolder=src/app/page -Doutput=page_files.c -P EmbedPage.cmake
file(GLOB files ${folder}/*.html ${folder}/*.css ${folder}/*.js ${folder}/*.svg)
set(arrays "")
set(rows "")
set(number 0)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  get_filename_component(ending ${file} LAST_EXT)
  if(ending STREQUAL ".html")
    set(type "text/html; charset=utf-8")
  elseif(ending STREQUAL ".css")
    set(type "text/css; charset=utf-8")
  elseif(ending STREQUAL ".js")
    set(type "text/javascript; charset=utf-8")
  else()
    set(type "image/svg+xml")
  endif()
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char file_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", \"${type}\", file_${number}, sizeof file_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${output} "/* Made from ${folder} by scripts/cmake/EmbedPage.cmake. */
#include \"app/serve.h\"

${arrays}
const prism_page_file_t prism_page_files[] = {
${rows}    {NULL, NULL, NULL, 0}};
")
