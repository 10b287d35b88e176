# The bundled graphs are what the generators write.
add_test(NAME integration.examples
         COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/test_examples.sh $<TARGET_FILE:prism>
                 ${PROJECT_SOURCE_DIR}/examples)
set_tests_properties(integration.examples PROPERTIES LABELS integration TIMEOUT 120)
