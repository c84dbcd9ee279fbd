#include "runtime/node/capacity.hpp"

#include <sys/statvfs.h>

#include <fstream>
#include <limits>

namespace ao {

host_capacity free_capacity(const std::string& path) {
  constexpr auto unknown = std::numeric_limits<std::uint64_t>::max();
  host_capacity out{unknown, unknown};
  std::ifstream meminfo{"/proc/meminfo"};
  std::string name, unit;
  std::uint64_t kib = 0;
  while (meminfo >> name >> kib >> unit)
    if (name == "MemAvailable:") {
      out.memory = kib * 1024;
      break;
    }
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) == 0)
    out.disk = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  return out;
}

} // namespace ao
