# ngc-config.cmake - find_package(ngc): the targets ngc::ngc and ngc::ngrt, and
#
#     add_ngc_model(NAME SOURCE model.ng [PREFIX prefix] [STANDALONE] [OPTIONS option ...])
#
# a static library NAME of the model's C, compiled again when the model or a file that it imports changes. Programs that link it
# include "NAME.h"; names in it start with the prefix, which is NAME unless another is given. Where neither CMAKE_BUILD_TYPE nor
# CMAKE_C_FLAGS says how to optimize, its C is compiled with -O2.
get_filename_component(_ngc_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET ngc::ngc)
  add_executable(ngc::ngc IMPORTED GLOBAL)
  set_target_properties(ngc::ngc PROPERTIES IMPORTED_LOCATION "${_ngc_prefix}/bin/ngc")
  add_library(ngc::ngrt STATIC IMPORTED GLOBAL)
  set_target_properties(ngc::ngrt PROPERTIES
    IMPORTED_LOCATION "${_ngc_prefix}/lib/libngrt.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_ngc_prefix}/include"
    INTERFACE_LINK_LIBRARIES "@LIBS@")
endif()

function(add_ngc_model name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STANDALONE" "SOURCE;PREFIX" "OPTIONS")
  if(NOT arg_SOURCE)
    message(FATAL_ERROR "add_ngc_model(${name}): SOURCE is missing")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_ngc_model(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_PREFIX)
    string(MAKE_C_IDENTIFIER "${name}" arg_PREFIX)
  endif()
  set(options "--prefix=${arg_PREFIX}" ${arg_OPTIONS})
  if(arg_STANDALONE)
    list(APPEND options --standalone)
  endif()
  get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
  set(dir "${CMAKE_CURRENT_BINARY_DIR}/${name}.ngc")
  file(MAKE_DIRECTORY "${dir}")
  add_custom_command(
    OUTPUT "${dir}/${name}.c" "${dir}/${name}.h"
    COMMAND ngc::ngc ${options} -MD -MF "${dir}/${name}.d" -o "${dir}/${name}.c" "${source}"
    DEPENDS "${source}" "$<TARGET_FILE:ngc::ngc>"
    DEPFILE "${dir}/${name}.d"
    COMMENT "Compiling model ${arg_SOURCE}"
    VERBATIM)
  add_library(${name} STATIC "${dir}/${name}.c" "${dir}/${name}.h")
  target_include_directories(${name} PUBLIC "${dir}")
  set_target_properties(${name} PROPERTIES C_STANDARD 99 POSITION_INDEPENDENT_CODE ON)
  if(NOT "${CMAKE_C_FLAGS}" MATCHES "(^| )-O" AND CMAKE_C_COMPILER_ID MATCHES "GNU|Clang|Intel|TinyCC")
    # before other options, so that those of the directory or of the target count
    target_compile_options(${name} BEFORE PRIVATE "$<$<OR:$<STREQUAL:$<CONFIG>,>,$<STREQUAL:$<CONFIG>,None>>:-O2>")
  endif()
  if(arg_STANDALONE)
    target_link_libraries(${name} PUBLIC m)
  else()
    target_link_libraries(${name} PUBLIC ngc::ngrt)
  endif()
endfunction()
