# pg_add_handler(NAME [FILE.c ...]) and pg_add_transport(NAME [FILE.c ...])
# make the plugin NAME; without files, from NAME.c. In the project's own tree
# they go where the program looks for them. Elsewhere NAME.so is made beside
# the other outputs: name that folder in the config's `plugin_path`.

function(pg_add_plugin kind name)
    set(sources ${ARGN})
    if(NOT sources)
        set(sources ${name}.c)
    endif()
    set(target ${kind}-${name})
    add_library(${target} MODULE ${sources})
    target_link_libraries(${target} PRIVATE playground::plugin)
    set_target_properties(${target} PROPERTIES
        PREFIX ""
        SUFFIX ".so"
        OUTPUT_NAME ${name}
        C_VISIBILITY_PRESET hidden)
    if(PG_PLUGIN_OUTPUT)
        set_target_properties(${target} PROPERTIES
            LIBRARY_OUTPUT_DIRECTORY ${PG_PLUGIN_OUTPUT}/${kind})
        install(TARGETS ${target} LIBRARY DESTINATION lib/playground/${kind})
        set_property(GLOBAL APPEND PROPERTY PG_PLUGIN_TARGETS ${target})
    endif()
endfunction()

function(pg_add_handler name)
    pg_add_plugin(handler ${name} ${ARGN})
endfunction()

function(pg_add_transport name)
    pg_add_plugin(transport ${name} ${ARGN})
endfunction()
