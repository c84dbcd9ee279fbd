#include "runtime/cluster/membership_file.hpp"

#include "messages/json.hpp"
#include "runtime/home/files.hpp"

#include <charconv>
#include <filesystem>

namespace ao {
namespace {

std::string hub_file(const home& place) {
  return place.root() + "/hub.json";
}

std::string life_file(const home& place) {
  return place.root() + "/life";
}

std::string settings_file(const home& place) {
  return place.root() + "/settings.json";
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

} // namespace

result<void> write_membership(const home& place, const node_membership& x) {
  return write_file_durably(hub_file(place),
                            dump(json{{"name", x.name.text},
                                      {"link", x.link},
                                      {"credential", x.credential}})
                              + "\n");
}

result<node_membership> read_membership(const home& place) {
  auto path = hub_file(place);
  if (!is_there(path))
    return fail(
      ec::node_not_joined,
      place.root()
        + " belongs to no hub; run: ao-node join <host:port> <token>");
  auto text = read_file(path);
  if (!text)
    return fail(text.error());
  auto in = parse_json(*text, path);
  if (!in)
    return fail(in.error());
  node_membership out;
  out.name = node_name{in->value("name", "")};
  out.link = in->value("link", "");
  out.credential = in->value("credential", "");
  return out;
}

namespace {

result<std::uint64_t> last_incarnation(const home& place) {
  std::uint64_t last = 0;
  if (auto path = life_file(place); is_there(path)) {
    auto text = read_file(path, 64);
    if (!text)
      return fail(text.error());
    std::from_chars(text->data(), text->data() + text->size(), last);
  }
  return last;
}

result<void> keep_incarnation(const home& place, std::uint64_t x) {
  return write_file_durably(life_file(place), std::to_string(x) + "\n");
}

} // namespace

result<std::uint64_t> next_incarnation(const home& place) {
  auto last = last_incarnation(place);
  if (!last)
    return last;
  if (auto ok = keep_incarnation(place, *last + 1); !ok)
    return fail(ok.error());
  return *last + 1;
}

result<void> raise_incarnation(const home& place, std::uint64_t seen) {
  auto last = last_incarnation(place);
  if (!last)
    return fail(last.error());
  return *last >= seen ? result<void>{} : keep_incarnation(place, seen);
}

result<void> keep_settings(const home& place, const std::string& settings) {
  return write_file_durably(settings_file(place), settings);
}

result<std::optional<std::string>> kept_settings(const home& place) {
  auto path = settings_file(place);
  if (!is_there(path))
    return std::optional<std::string>{};
  auto text = read_file(path);
  if (!text)
    return fail(text.error());
  return std::optional<std::string>{std::move(*text)};
}

} // namespace ao
