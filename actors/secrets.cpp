#include "actors/secrets.hpp"

#include "runtime/config/environment.hpp"
#include "runtime/config/load.hpp"
#include "runtime/home/files.hpp"

namespace ao {

redactor secrets_of(const hub_context& context) {
  auto all = secrets_in(*context.config, process_environment());
  // The token of the API: there may be none, or a new one.
  if (context.place)
    if (auto token = read_file(context.place->api_token(), 4096))
      all.push_back(token->substr(0, token->find('\n')));
  return redactor{std::move(all)};
}

} // namespace ao
