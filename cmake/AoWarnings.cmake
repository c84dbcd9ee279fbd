# A clean build has no warning.
add_library(ao_warnings INTERFACE)
target_compile_options(ao_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror)
