# find_package(playground): playground::plugin, pg_add_handler(),
# pg_add_transport(), and the variable playground_PROGRAM.

get_filename_component(playground_PREFIX
    "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(playground_PROGRAM "${playground_PREFIX}/bin/playground")

if(NOT TARGET playground::plugin)
    add_library(playground::plugin INTERFACE IMPORTED)
    set_target_properties(playground::plugin PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${playground_PREFIX}/include")
endif()

include("${CMAKE_CURRENT_LIST_DIR}/PlaygroundPlugin.cmake")
