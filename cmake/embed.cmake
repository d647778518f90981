# Writes a C source that holds files: the assets of the demo page.
#   cmake -DOUTPUT=demo_assets.c -DFILES=a.html;b.js -P embed.cmake
cmake_minimum_required(VERSION 3.25)

set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_png "image/png")

set(bytes "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  cmake_path(GET file FILENAME path)
  cmake_path(GET file EXTENSION LAST_ONLY extension)
  string(SUBSTRING "${extension}" 1 -1 extension)
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "${file}: embed.cmake does not know this kind of file")
  endif()
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND bytes "static const unsigned char file_${number}[] = {\n${hex}0};\n\n")
  string(APPEND rows "    {\"${path}\", \"${type_${extension}}\", file_${number}, sizeof file_${number} - 1},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUTPUT}.new "/* Made by cmake/embed.cmake. */
#include \"cli/demo_assets.h\"

${bytes}const struct asset demo_assets[] = {
${rows}    {NULL, NULL, NULL, 0},
};
const size_t demo_asset_count = ${number};
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
