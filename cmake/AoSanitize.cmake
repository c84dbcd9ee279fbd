# AO_SANITIZE=address (with undefined behaviour) or thread, for everything that
# is built here. See ./dev sanitize.
set(AO_SANITIZE "" CACHE STRING "address, thread or nothing")
set_property(CACHE AO_SANITIZE PROPERTY STRINGS "" address thread)

if(AO_SANITIZE STREQUAL "address")
  # CAF's headers bind references to null (nothing is read through them).
  set(ao_sanitizers -fsanitize=address,undefined -fno-sanitize=null
    -fno-sanitize-recover=all)
  # GCC loses track of what is initialised in instrumented code: its manual
  # says to expect false positives.
  list(APPEND ao_sanitizers -Wno-maybe-uninitialized)
elseif(AO_SANITIZE STREQUAL "thread")
  # It does not know the fences of Boost.Asio, which stand beside locks.
  set(ao_sanitizers -fsanitize=thread -Wno-tsan)
elseif(AO_SANITIZE)
  message(FATAL_ERROR "AO_SANITIZE is \"${AO_SANITIZE}\", expected address or "
    "thread")
endif()

if(AO_SANITIZE)
  add_compile_options(${ao_sanitizers} -fno-omit-frame-pointer)
  add_link_options(${ao_sanitizers})
endif()
