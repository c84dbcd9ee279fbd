#include "runtime/cluster/membership_file.hpp"

#include "messages/json.hpp"
#include "runtime/cluster/kept_file.hpp"
#include "runtime/home/files.hpp"

#include <charconv>

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

} // namespace

result<void> write_membership(const home& place, const node_membership& x) {
  return write_file_durably(hub_file(place),
                            dump(json{{"name", x.name.text},
                                      {"link", x.link},
                                      {"credential", x.credential}})
                              + "\n");
}

result<node_membership> read_membership(const home& place) {
  auto kept = read_kept_json(hub_file(place));
  if (!kept)
    return fail(kept.error());
  if (!*kept)
    return fail(
      ec::node_not_joined,
      place.root()
        + " belongs to no hub; run: ao-node join <host:port> <token>");
  const auto& in = **kept;
  node_membership out;
  out.name = node_name{in.value("name", "")};
  out.link = in.value("link", "");
  out.credential = in.value("credential", "");
  return out;
}

namespace {

result<std::uint64_t> last_incarnation(const home& place) {
  std::uint64_t last = 0;
  auto kept = read_kept(life_file(place));
  if (!kept)
    return fail(kept.error());
  if (const auto& text = *kept)
    std::from_chars(text->data(), text->data() + text->size(), last);
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
  return read_kept(settings_file(place));
}

} // namespace ao
