#include "runtime/notify/desktop.hpp"

#include "runtime/notify/entities.hpp"

#include <string_view>

namespace ao::notify {
namespace {

using kind = send_outcome::kind;

const char* urgency_of(priority p) {
  switch (p) {
  case priority::urgent:
    return "critical";
  case priority::info:
    return "low";
  default:
    return "normal";
  }
}

/// The body is read as markup, and before that as with `echo -e`.
std::string for_body(std::string_view text) {
  std::string out;
  for (auto c : with_entities(text)) {
    if (c == '\\')
      out += '\\';
    out += c;
  }
  return out;
}

} // namespace

process_spec desktop_process(const notification& n, const environment& env) {
  auto end = n.text.find('\n');
  process_spec out;
  out.argv
    = {"notify-send",
       "--app-name=ao",
       std::string{"--urgency="} + urgency_of(n.priority),
       "--",
       n.text.substr(0, end),
       end == n.text.npos ? std::string{} : for_body(n.text.substr(end + 1))};
  out.env = env.to_vector();
  out.in = child_input::null();
  return out;
}

send_outcome read_desktop(const notification& n,
                          const result<finished>& ended) {
  if (!ended) {
    auto missing = ended.error().code == ec::program_missing;
    return make_outcome(n, missing ? kind::refused : kind::passing,
                        missing ? "notify-send is not installed"
                                : one_line(to_string(ended.error())));
  }
  if (ended->ok())
    return make_outcome(n, kind::accepted);
  return make_outcome(n, kind::unusable,
                      "notify-send " + to_string(ended->status) + ": "
                        + one_line(ended->err));
}

} // namespace ao::notify
