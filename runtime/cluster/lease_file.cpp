#include "runtime/cluster/lease_file.hpp"

#include "messages/json.hpp"
#include "runtime/cluster/kept_file.hpp"
#include "runtime/process/process_table.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace ao {
namespace {

namespace fs = std::filesystem;

std::string lease_file(const home& place) {
  return place.root() + "/lease.json";
}

} // namespace

mono_time lease_clock() {
  std::timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return mono_time{std::chrono::seconds{now.tv_sec}
                   + std::chrono::nanoseconds{now.tv_nsec}};
}

result<void> keep_lease(const home& place, const kept_lease& x) {
  auto limits = json::object();
  for (const auto& [project, limit] : x.stop_after)
    limits[project] = limit.count();
  auto path = lease_file(place);
  auto next = path + ".next";
  std::ofstream out{next, std::ios::trunc};
  out << dump(json{{"boot", boot_mark()},
                   {"renewed", x.renewed.time_since_epoch().count()},
                   {"stopAfterMs", std::move(limits)}})
      << "\n";
  out.close();
  std::error_code problem;
  if (out.fail())
    problem = {errno, std::generic_category()};
  else
    fs::rename(next, path, problem);
  if (problem)
    return fail(ec::home_unusable, path + ": " + problem.message());
  return {};
}

std::optional<kept_lease> read_lease(const home& place) {
  auto kept = read_kept_json(lease_file(place));
  if (!kept || !*kept)
    return std::nullopt;
  const auto& in = *kept;
  try {
    if (in->at("boot").get<std::string>() != boot_mark())
      return std::nullopt;
    kept_lease out;
    out.renewed
      = mono_time{mono_time::duration{in->at("renewed").get<std::int64_t>()}};
    for (const auto& [project, limit] : in->at("stopAfterMs").items())
      out.stop_after[project] = milliseconds{limit.get<std::int64_t>()};
    return out;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void forget_lease(const home& place) {
  std::error_code ignored;
  fs::remove(lease_file(place), ignored);
}

} // namespace ao
