#include "runtime/cluster/kept_file.hpp"

#include "runtime/home/files.hpp"

#include <filesystem>

namespace ao {

result<std::optional<std::string>> read_kept(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return std::optional<std::string>{};
  auto text = read_file(path);
  if (!text)
    return fail(text.error());
  return std::optional<std::string>{std::move(*text)};
}

result<std::optional<json>> read_kept_json(const std::string& path) {
  auto text = read_kept(path);
  if (!text)
    return fail(text.error());
  if (!*text)
    return std::optional<json>{};
  auto in = parse_json(**text, path);
  if (!in)
    return fail(in.error());
  return std::optional<json>{std::move(*in)};
}

} // namespace ao
