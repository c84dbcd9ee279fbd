// One program per decoder of tests/support/decoders.hpp; CMake says which.

#include "tests/support/decoders.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static const auto* one = ao::find_decoder(AO_DECODER);
  if (one == nullptr)
    std::abort();
  one->decode({reinterpret_cast<const char*>(data), size});
  return 0;
}
