#include "runtime/process/environment.hpp"

#include "runtime/io/fd.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

namespace ao {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_program(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode)
    && access(path.c_str(), X_OK) == 0;
}

} // namespace

environment environment::inherited(const std::vector<std::string>& extra) {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    all.emplace_back(*entry);
  return filtered(all, extra);
}

environment environment::filtered(const std::vector<std::string>& from,
                                  const std::vector<std::string>& extra) {
  environment kept;
  for (const auto& entry : from) {
    auto eq = entry.find('=');
    if (eq == std::string::npos || eq == 0)
      continue;
    auto name = entry.substr(0, eq);
    if (passes_on(name)
        || std::find(extra.begin(), extra.end(), name) != extra.end())
      kept.set(std::move(name), entry.substr(eq + 1));
  }
  return kept;
}

bool environment::passes_on(std::string_view name) {
  static constexpr std::string_view names[]
    = {"HOME", "PATH", "SHELL", "USER",   "LOGNAME",
       "LANG", "TZ",   "TERM",  "TMPDIR", "SSH_AUTH_SOCK"};
  return starts_with(name, "LC_") || starts_with(name, "XDG_")
    || std::find(std::begin(names), std::end(names), name) != std::end(names);
}

environment& environment::set(std::string name, std::string value) {
  values_.insert_or_assign(std::move(name), std::move(value));
  return *this;
}

environment& environment::unset(std::string_view name) {
  if (auto i = values_.find(name); i != values_.end())
    values_.erase(i);
  return *this;
}

std::string environment::get(std::string_view name) const {
  auto i = values_.find(name);
  return i == values_.end() ? std::string{} : i->second;
}

std::vector<std::string> environment::to_vector() const {
  std::vector<std::string> out;
  out.reserve(values_.size());
  for (const auto& [name, value] : values_)
    out.push_back(name + "=" + value);
  return out;
}

result<std::string> find_program(std::string_view name, std::string_view path) {
  if (name.find('/') != std::string_view::npos) {
    std::string given{name};
    if (is_program(given))
      return given;
    return fail(ec::program_missing, given + " is no executable file");
  }
  while (!name.empty() && !path.empty()) {
    auto colon = path.find(':');
    auto dir = path.substr(0, colon);
    path.remove_prefix(colon == std::string_view::npos ? path.size()
                                                       : colon + 1);
    if (dir.empty() || dir.front() != '/')
      continue;
    auto candidate = std::string{dir} + "/" + std::string{name};
    if (is_program(candidate))
      return candidate;
  }
  return fail(ec::program_missing,
              "no program called " + std::string{name} + " on PATH");
}

result<std::string> own_directory() {
  char buffer[PATH_MAX];
  auto n = readlink("/proc/self/exe", buffer, sizeof buffer);
  if (n <= 0 || static_cast<std::size_t>(n) == sizeof buffer)
    return fail(ec::process_failed, errno_text("cannot read /proc/self/exe"));
  std::string path(buffer, static_cast<std::size_t>(n));
  return path.substr(0, path.rfind('/'));
}

} // namespace ao
