#include "cli/hub_authority.hpp"

#include "messages/json.hpp"
#include "runtime/http/problem.hpp"
#include "runtime/tls/files.hpp"

#include <cstdio>
#include <string>
#include <vector>

namespace ao {
namespace {

result<json> make_authority(const std::vector<std::string>& hosts) {
  auto place = open_home(home_path_from_environment());
  if (!place)
    return fail(place.error());
  auto made = tls::init_cluster(*place, hosts, wall_now());
  if (!made)
    return fail(made.error());
  return json{{"caFingerprint", made->fingerprint},
              {"certificate", tls::hub_files(*place).certificate}};
}

} // namespace

int run_authority(int count, const char* const* hosts) {
  auto made = make_authority({hosts, hosts + count});
  std::printf("%s\n", dump(made ? *made : http::problem(made.error())).c_str());
  return made ? 0 : info(made.error().code).exit_code;
}

} // namespace ao
